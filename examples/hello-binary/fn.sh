#!/bin/bash
# Standard input is the body, standard output the answer; what was asked is in variables, as CGI calls them.
name=$(cat)
if [[ -z $name && $QUERY_STRING =~ (^|&)name=([^&]*) ]]; then
  name=${BASH_REMATCH[2]}
fi
printf 'Hello, %s!' "${name:-world}"
