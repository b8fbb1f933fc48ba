# shellcheck shell=bash
# What each person may reach and what nobody may, with the client's own evidence.
# shellcheck source-path=SCRIPTDIR source=lab.bash
source /vm/lab.bash
# shellcheck source-path=SCRIPTDIR source=check.bash
source /vm/check.bash

# passes HOST OPENING ADDRESS PORT
passes() { at "$1" probe get "$2" "$3" "$4"; }

# refused HOST OPENING ADDRESS PORT: not one byte back, and a reset at once instead of silence.
refused() {
  local seen
  seen=$(at "$1" probe get "$2" "$3" "$4")
  echo "$seen"
  [[ $seen =~ opened=false\ bytes=0\ .*end=(refused|reset)$ ]]
}

# silent HOST OPENING ADDRESS PORT: not one byte back, in whatever way.
silent() {
  local seen
  seen=$(at "$1" probe get "$2" "$3" "$4" --silence 1500)
  echo "$seen"
  [[ $seen == *opened=false\ bytes=0\ * ]]
}

no_echo() { ! at "$1" ping -c 1 -W 1 "$2"; }

# Without it, a refusal could be a server that never answers.
test_servers_answer_everything() {
  local address opening port
  for address in "$internet4" "$internet6" "$office4" $office6; do
    for opening in "tls 443" "ssh 22" "http 25" "http 53" "http 80" "http 443" "ssh 443"; do
      read -r opening port <<<"$opening"
      passes gateway "$opening" "$address" "$port" || return 1
    done
    at gateway ping -c 1 -W 2 "$address" || return 1
  done
}

test_attempts() {
  local internet office
  for family in 4 6; do
    internet=internet$family office=office$family
    internet=${!internet} office=${!office}
    check "v$family: HTTPS that is granted passes" passes staff1 tls "$internet" 443
    check "v$family: SSH that is granted passes" passes staff1 ssh "$internet" 22
    check "v$family: the other person's HTTPS passes" passes staff2 tls "$office" 443
    check "v$family: the other person's SSH passes" passes staff2 ssh "$office" 22
    check "v$family: plain HTTP on 80 is refused" refused staff1 http "$internet" 80
    check "v$family: plain HTTP on 443 is refused" refused staff1 http "$internet" 443
    check "v$family: mail's port 25 is refused" refused staff1 http "$internet" 25
    check "v$family: a foreign name server's port 53 is refused" refused staff1 http "$internet" 53
    check "v$family: SSH on 443 is refused" refused staff1 ssh "$internet" 443
    check "v$family: TLS on 22 is refused" refused staff1 tls "$internet" 22
    check "v$family: another person's resource is refused" refused staff1 tls "$office" 443
    check "v$family: and the other way round" refused staff2 ssh "$internet" 22
    check "v$family: echo through the gateway gets no answer" no_echo staff1 "$internet"
  done
}
