#!/bin/sh
tr '\n' ' ' >&2
exit 1
