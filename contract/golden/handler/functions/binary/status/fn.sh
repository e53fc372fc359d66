#!/bin/sh
printf 'Status: 201\nLocation: /things/7\n' >&3
printf made
