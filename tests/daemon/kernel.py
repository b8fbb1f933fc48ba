"""What the kernel holds for the gateway, as lines that compare."""

import json
import pathlib
import re
from collections import Counter

from spaces import run

SETTINGS = ["net/netfilter/nf_conntrack_tcp_loose", "net/netfilter/nf_conntrack_tcp_be_liberal",
            "net/netfilter/nf_conntrack_checksum", "net/netfilter/nf_conntrack_acct",
            "net/ipv4/conf/all/send_redirects", "net/ipv4/conf/wg0/send_redirects",
            "net/ipv4/conf/wg0/accept_redirects", "net/ipv4/conf/wg0/rp_filter",
            "net/ipv6/conf/wg0/accept_redirects", "net/ipv6/conf/wg0/accept_ra",
            "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"]
RUNNING = ("handle", "expires", "packets", "bytes")  # what changes by itself
DYNAMIC = ("flows", "held", "quiet")  # sets that the packets fill
POLICY_SETS = {"cohort4": "map", "cohort6": "map", "atoms4": "map", "atoms6": "map", "grants": "set"}


def setting(key):
    try:
        return pathlib.Path("/proc/sys", key).read_text().strip()
    except OSError as error:
        return error.strerror


def settings():
    return sorted(f"{key} is {setting(key)}" for key in SETTINGS)


def still(value):
    """Without handles, counts and the time that is left."""
    if isinstance(value, dict):
        return {key: "some" if key == "timeout" else still(one) for key, one in value.items() if key not in RUNNING}
    return [still(one) for one in value] if isinstance(value, list) else value


def table():
    text = run("nft -j list table inet sekisho 2>/dev/null", check=False)
    lines, places = [], Counter()
    for entry in json.loads(text)["nftables"] if text.strip() else []:
        (kind, value), = entry.items()
        value = still(value)
        if kind == "metainfo" or value.get("name", "").startswith(DYNAMIC):
            continue
        elements = value.pop("elem", [])
        places[value.get("chain")] += 1  # the order of rules counts, that of elements does not
        lines.append(f"{kind} {places[value['chain']] if kind == 'rule' else ''} {json.dumps(value, sort_keys=True)}")
        lines += [f"element of {value['name']} {json.dumps(element, sort_keys=True)}" for element in elements]
    return sorted(lines)


def first_elements():
    """Of each map and set of policy, as nft wants it named."""
    found = {}
    for name, kind in POLICY_SETS.items():
        text = run(f"nft -s list {kind} inet sekisho {name}")
        element = re.search(r"elements = \{ ([^,}]+)", text)[1]
        found[name] = re.split(r" timeout| : ", element)[0].strip()
    return found


def wireguard():
    rows = [line.split("\t") for line in run("wg show wg0 dump 2>&1", check=False).splitlines()]
    peers = [f"peer {row[0]} {row[1]} {sorted(row[3].split(','))}" for row in rows[1:]]
    return [f"interface {rows[0]}"] + sorted(peers)


def routing():
    link = run("ip -o link show wg0 2>&1", check=False)
    addresses = run("ip -o address show dev wg0 scope global 2>&1", check=False)
    return (re.findall(r"mtu \d+", link) + [f"up: {',UP' in link}"] +
            sorted(re.findall(r"inet6? \S+", addresses)) + run("ip rule; ip -6 rule").splitlines() +
            sorted(run("ip route show table all proto 94; ip -6 route show table all proto 94").splitlines()))


PARTS = {"table": table, "wireguard": wireguard, "routing": routing, "settings": settings}


def everything():
    return {name: part() for name, part in PARTS.items()}


def difference(before, after):
    """Lines of one and not of the other."""
    before, after = Counter(before), Counter(after)
    return "\n".join([f"- {line}" for line in before - after] + [f"+ {line}" for line in after - before])
