#!/bin/sh
sleep 0.5
exec cat
