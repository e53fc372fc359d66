#!/bin/sh
env | grep '^HTTP_X_TINYFAAS_' | sort | while IFS='=' read -r name value; do
  echo "$(echo "${name#HTTP_}" | tr 'A-Z_' 'a-z-'): $value"
done
