#!/bin/sh
mktemp /tmp/call.XXXXXX >/dev/null
until [ "$(ls /tmp/call.* | wc -l)" -ge 8 ]; do sleep 0.05; done
exec cat
