# shellcheck shell=bash
# While the policy changes again and again, does one packet pass that no policy allows? The sender floods
# through the tunnel, the counter stands at the server.
# shellcheck source-path=SCRIPTDIR source=gateway.bash
source /vm/gateway.bash
# shellcheck source-path=SCRIPTDIR source=check.bash
source /vm/check.bash

leak_rounds=5

# Packets that came out of the gateway's tunnel: what the rules had to judge.
judged() { at gateway cat /proc/net/dev | awk '$1 == "wg0:" { print $3 }'; }

# flood_while FAMILY COMMAND...: leak_rounds times during a flood that reaches the rules; sets arrived, told.
flood_while() {
  local address=internet$1 round came counter sender
  shift
  came=$(judged)
  start internet probe count 9999 >/tmp/arrived
  counter=$started
  start staff1 probe flood "${!address}" 9999 >/tmp/sent
  sender=$started
  sleep 1
  for ((round = 0; round < leak_rounds; round++)); do
    "$@" || break
  done
  kill -TERM "$sender"
  wait "$sender"
  sleep 0.5 # what is still on its way
  kill -TERM "$counter"
  wait "$counter"
  came=$(($(judged) - came)) arrived=$(</tmp/arrived)
  told="$round rounds, $(</tmp/sent) packets sent, $came came to the rules, $arrived leaked"
  echo "$told"
  ((round == leak_rounds && came > 10000))
}

# Grants, a cut of the destinations and a whole document: every kind of change the daemon makes.
one_change() {
  sekisho grant remove ken-office --reason leak &&
    sekisho resource set office --prefix 10.20.0.0/25 --prefix fd20::/64 &&
    sekisho resource set office --prefix 10.20.0.0/24 --prefix fd20::/64 &&
    sekisho grant add ken-office --who person:ken --resource office --reason "the guest's test"
}

none_arrived() { flood_while "$1" one_change && ((arrived == 0)); }

test_leak() {
  local family
  for family in 4 6; do
    check "v$family: no packet slips through while the policy changes" none_arrived $family
    echo "note: v$family: rounds of four changes: $told"
  done
}

# A chain as most rulesets have it, and the set it asks. The set is not small: a new base chain accepts
# until the kernel's commit comes to its policy, and what a transaction holds between the old chain's end
# and the new one decides how long that takes.
control_table() {
  local third
  echo "add table inet control"
  echo "add set inet control staff { type ipv4_addr; }"
  echo "flush set inet control staff"
  for third in {1..40}; do
    printf 'add element inet control staff { %s }\n' "$(printf "10.66.$third.%s, " {1..200})"
  done
  cat <<'NFT'
table inet control {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "wg0" ip saddr @staff tcp dport 443 accept
  }
}
NFT
}

# As a ruleset is reloaded that begins with its own deletion: one transaction.
replace_chain() { at gateway nft -f /tmp/replace_chain; }

some_arrived() { flood_while "$1" replace_chain && ((arrived > 0)); }

test_leak_control() {
  local family
  control_table >/tmp/control_table
  { printf '%s chain inet control forward\n' flush delete && cat /tmp/control_table; } >/tmp/replace_chain
  at gateway nft -f /tmp/control_table
  for family in 4 6; do
    check "control: v$family: a transaction that deletes and re-creates a base chain leaks" some_arrived $family
    echo "note: control: v$family: $told"
  done
}
