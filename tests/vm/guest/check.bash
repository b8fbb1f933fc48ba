# shellcheck shell=bash
# One line a test: "ok NAME" or "not ok NAME: why".

pass() { echo "ok $1"; }
fail() { echo "not ok $1: $2"; }

# check NAME COMMAND...: the command's exit status decides; its output is the reason.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    pass "$name"
  else
    fail "$name" "exit $? of: $* ${output//$'\n'/ | }"
  fi
}
