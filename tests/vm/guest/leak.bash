# shellcheck shell=bash
# While the policy changes again and again, does one packet pass that no policy allows? The counter stands
# at the server; the sender floods through the tunnel.
# shellcheck source-path=SCRIPTDIR source=gateway.bash
source /vm/gateway.bash
# shellcheck source-path=SCRIPTDIR source=check.bash
source /vm/check.bash

# flood_while ROUNDS COMMAND...: repeats the command during a flood; sets sent and arrived.
flood_while() {
  local rounds=$1 round counter sender
  shift
  start internet probe count 9999 >/tmp/arrived
  counter=$started
  start staff1 probe flood "$internet4" 9999 >/tmp/sent
  sender=$started
  sleep 1
  for ((round = 0; round < rounds; round++)); do
    "$@" || break
  done
  kill -TERM "$sender"
  wait "$sender"
  sleep 0.5 # what is still on its way
  kill -TERM "$counter"
  wait "$counter"
  sent=$(</tmp/sent) arrived=$(</tmp/arrived)
  echo "sent=$sent arrived=$arrived rounds=$round"
  ((round == rounds))
}

# Grants, a cut of the destinations and a whole document: every kind of change the daemon makes.
one_change() {
  sekisho grant remove ken-office --reason leak &&
    sekisho resource set office --prefix 10.20.0.0/25 --prefix fd20::/64 &&
    sekisho resource set office --prefix 10.20.0.0/24 --prefix fd20::/64 &&
    sekisho grant add ken-office --who person:ken --resource office --reason "the guest's test"
}

none_arrived() { flood_while 3 one_change && ((sent > 10000 && arrived == 0)); }

test_leak() {
  check "no packet slips through while the policy changes" none_arrived
  echo "note: $sent probes during the changes, $arrived arrived"
}

control_table() {
  at gateway nft -f - <<'NFT'
table inet control {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "wg0" tcp dport 443 accept
  }
}
NFT
}

# As a restart of the nftables service does it: the old rules go, then the new ones come.
replace_table() { at gateway nft delete table inet control && control_table; }

some_arrived() { flood_while 3 replace_table && ((arrived > 0)); }

test_leak_control() {
  control_table
  check "control: rules that go before the new ones come leak" some_arrived
  echo "note: control: $sent probes during the replacements, $arrived arrived"
}
