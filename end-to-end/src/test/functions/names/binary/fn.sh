#!/bin/bash
# Answers the header that the body names (in lower case) with its name and value as a function gets them.
wanted=$(cat)
echo "asked for $wanted" >&2
name=HTTP_$(tr 'a-z-' 'A-Z_' <<<"$wanted")
printf '%s=%s' "$name" "${!name}"
