# shellcheck shell=bash
# The gateway under test: sekishod in its namespace, a policy for two people.
#
#   hana (staff1)  internet: HTTPS and SSH
#   ken  (staff2)  office: HTTPS and SSH
# shellcheck source-path=SCRIPTDIR source=lab.bash
source /vm/lab.bash
# shellcheck source-path=SCRIPTDIR source=check.bash
source /vm/check.bash

gateway_up() {
  mkdir -p /etc/sekisho /var/lib/sekisho /run/sekisho
  cat >/etc/sekisho/sekisho.toml <<TOML
[gateway]
name = "guest"
[tunnel]
endpoint = "$gateway_outside:51820"
listen_port = 51820
pools = ["10.66.0.0/16", "fd66::/64"]
[network]
public_prefixes = ["203.0.113.0/24", "2001:db8:3::/64"]
TOML
  at gateway ip link add wg0 type wireguard
  daemon_up
}

# daemon_up: starts sekishod; true when it says that it enforces.
daemon_up() {
  start gateway sekishod --config /etc/sekisho/sekisho.toml >>/tmp/sekishod.log 2>&1
  daemon=$started
  eventually 20 sekisho status
}

daemon_killed() {
  kill -9 "$daemon"
  wait "$daemon" 2>/dev/null
  ! kill -0 "$daemon" 2>/dev/null
}

# device_up HOST DEVICE PERSON: the key is made on the device; only its public half is told.
device_up() {
  local host=$1 device=$2 person=$3
  (umask 077 && wg genkey >"/tmp/$host.key")
  sekisho device add "$device" --person "$person" --public-key "$(wg pubkey <"/tmp/$host.key")" \
    >"/tmp/$host.profile" || return 1
  tunnel_up "$host" "/tmp/$host.profile" "/tmp/$host.key"
}

policy_up() {
  sekisho person add hana --name "Hana" &&
    sekisho person add ken --name "Ken" &&
    sekisho resource add office --name "Office" --classification internal \
      --prefix 10.20.0.0/24 --prefix fd20::/64 --service https --service ssh &&
    sekisho grant add hana-internet --who person:hana --resource internet --reason "the guest's test" &&
    sekisho grant add ken-office --who person:ken --resource office --reason "the guest's test"
}
