# shellcheck shell=bash
# Ways in which access ends while it is used, and what must not end with it.
# shellcheck source-path=SCRIPTDIR source=gateway.bash
source /vm/gateway.bash
# shellcheck source-path=SCRIPTDIR source=attempts.bash
source /vm/attempts.bash
# shellcheck source-path=SCRIPTDIR source=check.bash
source /vm/check.bash

declare -A downloads

# download NAME HOST OPENING ADDRESS PORT: one that would run for minutes; returns when bytes flow.
download() {
  local name=$1 host=$2
  shift 2
  start "$host" probe get "$@" --bytes 100000000 --silence 2500 >"/tmp/download.$name"
  downloads[$name]=$started
  check "download $name runs" eventually 15 grep -q running "/tmp/download.$name"
}

# evidence NAME FIELD: of a download that has ended.
evidence() { sed -nE "s/.*\b$2=([^ ]*).*/\1/p" "/tmp/download.$1"; }

# What the gateway let through before the moment may be read a little later on a slow machine.
reading_ms=150

# ended_by NAME MOMENT_MS: it ran, and by that moment it had its last byte.
ended_by() {
  wait "${downloads[$1]}"
  echo "moment=$2 $(cat "/tmp/download.$1")"
  (($(evidence "$1" bytes) > 0 && $(evidence "$1" last_byte_ms) <= $2 + reading_ms))
}

# outlived NAME MOMENT_MS: it still ran well after that moment. Ends it.
outlived() {
  sleep 0.7
  kill -TERM "${downloads[$1]}"
  wait "${downloads[$1]}"
  echo "moment=$2 $(cat "/tmp/download.$1")"
  (($(evidence "$1" last_byte_ms) > $2 + reading_ms))
}

grant_internet() {
  sekisho grant add hana-internet --who person:hana --resource internet --reason "the guest's test" "$@"
}

# peer HOST: the gateway's line about that device in `wg show dump`: endpoint, handshake, received, sent.
peer() {
  at gateway wg show wg0 dump |
    awk -v key="$(wg pubkey <"/tmp/$1.key")" '$1 == key { print $3, $5, $6, $7 }'
}

# undisturbed BEFORE AFTER: the same endpoint and handshake, and counters that went on.
undisturbed() {
  local before after
  read -ra before <<<"$1"
  read -ra after <<<"$2"
  echo "before: $1, after: $2"
  [[ ${before[0]} == "${after[0]}" ]] &&
    ((before[1] > 0 && before[1] == after[1] && after[2] >= before[2] && after[3] >= before[3]))
}

test_withdrawn_grant() {
  local before moment
  before=$(peer staff2)
  download v4 staff1 tls "$internet4" 443
  download v6 staff1 ssh "$internet6" 22
  download bystander staff2 tls "$office4" 443
  check "a grant is withdrawn" sekisho grant remove hana-internet
  moment=$(probe now)
  check "the download it allowed ends, v4" ended_by v4 "$moment"
  check "the download it allowed ends, v6" ended_by v6 "$moment"
  check "nothing new opens, v4" refused staff1 tls "$internet4" 443
  check "nothing new opens, v6" refused staff1 ssh "$internet6" 22
  check "another person's download goes on" outlived bystander "$moment"
  check "another device's tunnel is undisturbed" undisturbed "$before" "$(peer staff2)"
  check "the grant is given again" grant_internet
  check "and opens" passes staff1 tls "$internet4" 443
}

test_blocked_device() {
  local before moment
  before=$(peer staff2)
  download blocked staff1 tls "$internet4" 443
  check "a device is blocked" sekisho device set hana-laptop --state blocked
  moment=$(probe now)
  check "its download ends" ended_by blocked "$moment"
  check "it opens nothing, v4" silent staff1 tls "$internet4" 443
  check "it opens nothing, v6" silent staff1 tls "$internet6" 443
  check "the other device's tunnel is undisturbed by the block" undisturbed "$before" "$(peer staff2)"
  check "the device is allowed again" sekisho device set hana-laptop --state active
  check "and opens after the block" eventually 15 passes staff1 tls "$internet4" 443
}

# The grant's end comes while the daemon is dead, so it is the kernel that keeps the time.
test_end_without_daemon() {
  local until_s until_ms
  check "the grant without an end goes" sekisho grant remove hana-internet
  until_s=$((EPOCHSECONDS + 8))
  until_ms=$(($(probe now) + until_s * 1000 - ${EPOCHREALTIME/./} / 1000))
  check "a grant with an end comes" grant_internet --until "$(date -u -d "@$until_s" +%Y-%m-%dT%H:%M:%SZ)"
  download ending staff1 tls "$internet4" 443
  download other staff2 ssh "$office6" 22
  check "the daemon is killed" daemon_killed
  check "with it dead, what is granted passes" passes staff2 tls "$office4" 443
  check "with it dead, what is not is refused" refused staff1 tls "$office4" 443
  check "with it dead, plain HTTP is refused" refused staff1 http "$internet6" 80
  check "with it dead, the grant ends on its second" ended_between ending $((until_ms - 1000)) $((until_ms + 1000))
  check "with it dead, the ended grant opens nothing" refused staff1 ssh "$internet6" 22
  check "the daemon starts again" daemon_up
  check "a download outlives the daemon's death and start" outlived other "$(probe now)"
  check "the ended grant goes" sekisho grant remove hana-internet
  check "the grant without an end is back" grant_internet
  check "and opens after the daemon's death" passes staff1 tls "$internet6" 443
}

ended_between() {
  ended_by "$1" "$3" && (($(evidence "$1" last_byte_ms) >= $2))
}

# First with the daemon dead: the routes alone must close. Then alive: it puts the rules back.
test_flush() {
  local address
  daemon_killed
  download flushed staff1 tls "$internet4" 443
  at gateway nft flush ruleset
  check "rules flushed: the download ends" ended_by flushed "$(probe now)"
  for address in "$internet4" $internet6; do
    check "rules flushed: no HTTPS to $address" silent staff1 tls "$address" 443
    check "rules flushed: no HTTP to $address" silent staff1 http "$address" 80
  done
  check "the daemon starts without rules" daemon_up
  check "it enforces: HTTPS passes" passes staff1 tls "$internet4" 443
  check "it enforces: HTTP is refused" refused staff1 http "$internet4" 80
  at gateway nft flush ruleset
  check "rules flushed under a living daemon come back" eventually 5 passes staff1 tls "$internet6" 443
  check "they refuse as before" refused staff1 http "$internet6" 443
}
