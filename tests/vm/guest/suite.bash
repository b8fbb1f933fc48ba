# shellcheck shell=bash
# The order of the guest's tests.
# shellcheck source-path=SCRIPTDIR source=check.bash
source /vm/check.bash
# shellcheck source-path=SCRIPTDIR source=lab.bash
source /vm/lab.bash
# shellcheck source-path=SCRIPTDIR source=gateway.bash
source /vm/gateway.bash
# shellcheck source-path=SCRIPTDIR source=attempts.bash
source /vm/attempts.bash
# shellcheck source-path=SCRIPTDIR source=endings.bash
source /vm/endings.bash
# shellcheck source-path=SCRIPTDIR source=leak.bash
source /vm/leak.bash
# shellcheck source-path=SCRIPTDIR source=resurrection.bash
source /vm/resurrection.bash

# Takes all protection away, to show what the controls show: no daemon, no rules, the usual routing.
strip_gateway() {
  local family
  daemon_killed
  at gateway nft flush ruleset
  for family in -4 -6; do
    at gateway ip $family rule flush
    at gateway ip $family rule add pref 0 lookup local
    at gateway ip $family rule add pref 32766 lookup main
  done
}

only_kernel_wireguard() {
  at gateway ip -details link show wg0 | grep -w wireguard && ! at gateway ip link show type tun | grep .
}

# Nobody answers names here, and doctor has to see that as well.
only_names_wrong() {
  local found
  found=$(sekisho doctor)
  echo "$found"
  [[ $(grep -c '^WRONG' <<<"$found") == 1 && $found == *"WRONG names: nobody answers DNS at 10.66.0.1"* ]]
}

run_suite() {
  lab_up
  check "control: the servers answer everything" test_servers_answer_everything
  check "sekishod starts and enforces" gateway_up || return
  check "its tunnel is the kernel's" only_kernel_wireguard
  check "the policy is made" policy_up
  check "hana's laptop" device_up staff1 hana-laptop hana || return
  check "ken's laptop" device_up staff2 ken-laptop ken || return
  test_attempts
  test_withdrawn_grant
  test_blocked_device
  test_end_without_daemon
  test_flush
  test_leak
  test_resurrection
  check "doctor finds nothing wrong but that names are not answered" only_names_wrong
  strip_gateway
  test_leak_control
  test_resurrection_control
  complete=true
}

# An error of the shell ends a function but not the script: only its last line sets this.
complete=false
run_suite
cat /tmp/sekishod.log
$complete
