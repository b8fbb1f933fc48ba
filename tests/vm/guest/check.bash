# shellcheck shell=bash
# One line a test: "ok NAME" or "not ok NAME: why".

pass() { echo "ok $1"; }
fail() { echo "not ok $1: $2"; }

# check NAME COMMAND...: the command's exit status decides; its output is the reason. It runs in this shell, so
# that what it starts can be waited for. The status is check's own, too.
check() {
  local name=$1 status
  shift
  "$@" >/tmp/check 2>&1
  status=$?
  if ((status == 0)); then
    pass "$name"
  else
    fail "$name" "exit $status of: $* | $(tr '\n' '|' </tmp/check)"
  fi
  return "$status"
}
