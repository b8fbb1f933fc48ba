# shellcheck shell=bash
# A right is withdrawn and the flows' conntrack entries purged, but the server goes on retransmitting: do
# the flows come back, over either family? With tcp_loose=1, so that it is the rules that must hold, and with the daemon dead,
# because it would put that setting back.
# shellcheck source-path=SCRIPTDIR source=endings.bash
source /vm/endings.bash
# shellcheck source-path=SCRIPTDIR source=check.bash
source /vm/check.bash

# The purged entry undid the address translation; without this the gateway would answer the server's
# retransmits with a reset, and the flow would end for that reason.
mute_resets() {
  at gateway nft -f - <<'NFT'
table inet mute {
  chain output {
    type filter hook output priority 0;
    oifname { "internet", "office" } tcp flags & rst == rst drop
  }
}
NFT
  at gateway sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
}

purge() {
  local family
  for family in ipv4 ipv6; do
    at gateway conntrack -D -f $family -p tcp --dport 443 >/dev/null 2>&1
  done
}

loose_is_put_back() {
  at gateway sysctl net.netfilter.nf_conntrack_tcp_loose | grep -w 1 && daemon_up &&
    at gateway sysctl net.netfilter.nf_conntrack_tcp_loose | grep -w 0
}

# Bytes that the server still has to send on a live connection of either family: it retransmits.
server_retransmits() {
  at internet cat /proc/net/tcp6 |
    awk '$2 ~ /:01BB$/ && $4 == "01" && substr($5, 1, 8) != "00000000" {
        if (substr($2, 1, 24) == "0000000000000000FFFF0000") v4++; else v6++
      } END { exit !(v4 && v6) }'
}

test_resurrection() {
  local moment family
  download purged4 staff1 tls "$internet4" 443
  download purged6 staff1 tls "$internet6" 443
  check "the grant goes before the purge" sekisho grant remove hana-internet
  daemon_killed
  mute_resets
  purge
  moment=$(probe now)
  check "after the purge the server retransmits, v4 and v6" eventually 10 server_retransmits
  sleep 2
  for family in 4 6; do
    check "and the flow stays dead, v$family" ended_by purged$family "$moment"
  done
  at gateway nft delete table inet mute
  check "the daemon puts the setting back" loose_is_put_back
  check "the grant returns after the purge" grant_internet
}

# Accepts what is established, as most rulesets do, and lets the servers' side open connections to staff.
control_rules() {
  at gateway nft -f - <<'NFT'
table inet control {
  set allowed4 {
    type ipv4_addr
    elements = { 10.66.0.0-10.66.255.255 }
    flags interval
  }
  set allowed6 {
    type ipv6_addr
    elements = { fd66::/64 }
    flags interval
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "wg0" ip saddr @allowed4 accept
    iifname "wg0" ip6 saddr @allowed6 accept
    oifname "wg0" accept
  }
}
NFT
}

test_resurrection_control() {
  local moment family
  at gateway nft flush ruleset
  control_rules
  at gateway sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1
  download resumed4 staff1 tls "$internet4" 443
  download resumed6 staff1 tls "$internet6" 443
  at gateway nft 'flush set inet control allowed4; flush set inet control allowed6'
  purge
  moment=$(probe now)
  sleep 1
  for family in 4 6; do
    check "control: where established is accepted, the flow resumes, v$family" outlived resumed$family "$moment"
  done
}
