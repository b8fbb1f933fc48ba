#!/usr/bin/env bash
# A manual page is right where neither mandoc nor groff has anything to say of it.
# Usage: lint.bash PAGE; exits 1 and prints what they say.
set -euo pipefail

said=$(mandoc -T lint -W style "$1" 2>&1 || true
       groff -man -ww -z -Tutf8 -Kutf8 "$1" 2>&1 || true)
[[ -z $said ]] || { echo "$said"; exit 1; }
# Nothing is said of an empty page either.
[[ $(groff -man -Tutf8 -Kutf8 -P-cbou "$1") == *$'\nSEE ALSO\n'* ]] || { echo "$1: does not reach its end"; exit 1; }
