"""The rules that gateways have instead of ours, as nft text: all over the same masquerade, with the
same mark for the routing, `established` first. IPv4 alone. PAIRS are (device, network) as granted."""

from collections import defaultdict

FRAME = """
delete table inet sekisho
table inet baseline {{
{sets}
  chain raw {{
    type filter hook prerouting priority raw
    iifname "wg0" meta mark set 0x5e0000 accept
    udp dport 51820 fib daddr type local notrack
  }}
{chains}
  chain forward {{
    type filter hook forward priority filter
    ct state established,related accept
{rules}
    iifname "wg0" drop
    oifname "wg0" drop
  }}
  chain postrouting {{
    type nat hook postrouting priority srcnat
    oifname "wg0" accept
    ip saddr 10.64.0.0/14 meta l4proto tcp masquerade to :1024-32767
    ip saddr 10.64.0.0/14 meta l4proto udp masquerade to :1024-32767
    ip saddr 10.64.0.0/14 masquerade
  }}
}}
"""


def minimum(_pairs):
    """Whoever is in the tunnel may go to 443."""
    return FRAME.format(sets="", chains="", rules='iifname "wg0" tcp dport 443 accept')


def rule_per_grant(pairs):
    rules = [f'iifname "wg0" ip saddr {device} ip daddr {network}/24 tcp dport 443 accept' for device, network in pairs]
    return FRAME.format(sets="", chains="", rules="\n".join(rules))


def chain_per_person(pairs):
    """The source's address leads to a chain of its own."""
    networks = defaultdict(list)
    for device, network in pairs:
        networks[device].append(network)
    chains = [f"chain of_{device.replace('.', '_')} {{\n" +
              "\n".join(f"ip daddr {network}/24 tcp dport 443 accept" for network in granted) + "\n}"
              for device, granted in networks.items()]
    jumps = ", ".join(f"{device} : jump of_{device.replace('.', '_')}" for device in networks)
    return FRAME.format(sets="", chains="\n".join(chains), rules=f'iifname "wg0" ip saddr vmap {{ {jumps} }}')


def interval_set(pairs):
    """All grants as one set of concatenations with intervals."""
    elements = ", ".join(f"{device} . {network}/24 . 443" for device, network in pairs)
    sets = ("set granted {\ntype ipv4_addr . ipv4_addr . inet_service\nflags interval\n"
            f"elements = {{ {elements} }}\n}}")
    return FRAME.format(sets=sets, chains="",
                        rules='iifname "wg0" ip saddr . ip daddr . tcp dport @granted accept')
