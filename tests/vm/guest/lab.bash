# shellcheck shell=bash
# The lab in small: staff devices reach the gateway through a Wi-Fi router, the servers stand behind it.
#
#   staff1 --- wifi --- gateway --- office    10.20.0.10   fd20::10
#   staff2 ---'                `--- internet  203.0.113.10 2001:db8:3::10
#
# Tunnel addresses belong to the pools 10.66.0.0/16 and fd66::/64. Every server answers TLS, SSH and HTTP
# on every port it has: what is refused, the gateway refused.

gateway_outside=198.51.100.10
office4=10.20.0.10 office6=fd20::10
internet4=203.0.113.10 internet6=2001:db8:3::10

# at HOST COMMAND... (nsenter starts faster than ip does)
at() {
  local host=$1
  shift
  nsenter --net="/run/netns/$host" -- "$@"
}

# start HOST COMMAND...: in the background; its process id in $started.
start() {
  local host=$1
  shift
  nsenter --net="/run/netns/$host" -- "$@" &
  # shellcheck disable=SC2034 # its callers read it
  started=$!
}

# link HOST1 ADDRESS1 HOST2 ADDRESS2 [ADDRESS1_V6 ADDRESS2_V6]: a cable whose ends are named after the
# other side. Addresses carry their prefix length.
link() {
  ip link add "$3" netns "$1" type veth peer name "$1" netns "$3"
  at "$1" ip addr add "$2" dev "$3"
  at "$3" ip addr add "$4" dev "$1"
  if (($# > 4)); then
    at "$1" ip addr add "$5" dev "$3" nodad
    at "$3" ip addr add "$6" dev "$1" nodad
  fi
  at "$1" ip link set "$3" up
  at "$3" ip link set "$1" up
}

lab_up() {
  local host
  for host in staff1 staff2 wifi gateway office internet; do
    ip netns add "$host"
    at "$host" ip link set lo up
    at "$host" sysctl -qw net.ipv4.conf.all.rp_filter=2 # as Debian sets it
  done
  link staff1 198.51.100.2/30 wifi 198.51.100.1/30
  link staff2 198.51.100.6/30 wifi 198.51.100.5/30
  link gateway $gateway_outside/30 wifi 198.51.100.9/30
  link gateway 10.20.0.1/24 office $office4/24 fd20::1/64 $office6/64
  link gateway 203.0.113.1/24 internet $internet4/24 2001:db8:3::1/64 $internet6/64
  at wifi sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  at staff1 ip route add $gateway_outside via 198.51.100.1
  at staff2 ip route add $gateway_outside via 198.51.100.5
  at gateway ip route add 198.51.100.0/24 via 198.51.100.9
  # With masquerade nobody uses these; without it the servers could answer a staff device directly.
  for host in office internet; do
    at "$host" ip route add 10.66.0.0/16 via "$([[ $host == office ]] && echo 10.20.0.1 || echo 203.0.113.1)"
    at "$host" ip route add fd66::/64 via "$([[ $host == office ]] && echo fd20::1 || echo 2001:db8:3::1)"
    start "$host" probe serve 22 25 53 80 443
    eventually 20 at "$host" probe get http 127.0.0.1 443 --bytes 1
  done
}

# tunnel_up HOST PROFILE KEY: what wg-quick does with the profile that the gateway issued, and the private
# key in the file KEY, which only the device has.
tunnel_up() {
  local host=$1 profile=$2 key=$3 address
  at "$host" ip link add wg0 type wireguard
  sed -E '/^(Address|DNS|MTU) *=/d' "$profile" | at "$host" wg setconf wg0 /dev/stdin
  at "$host" wg set wg0 private-key "$key"
  for address in $(sed -nE 's/^Address *= *//p' "$profile" | tr ',' ' '); do
    at "$host" ip addr add "$address" dev wg0
  done
  at "$host" ip link set wg0 mtu "$(sed -nE 's/^MTU *= *//p' "$profile")" up
  at "$host" ip route add default dev wg0
  at "$host" ip -6 route add default dev wg0
}

# eventually SECONDS COMMAND...: the command succeeds within that time.
eventually() {
  local until=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}
