#!/bin/sh
echo "Content-Type: ${CONTENT_TYPE:-application/octet-stream}" >&3
exec cat
