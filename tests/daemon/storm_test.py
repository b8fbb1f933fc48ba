#!/usr/bin/env python3
"""A storm of probe packets while the policy changes again and again: not one that no policy allows
arrives, of either family, and what is granted at every moment does arrive.

CHANGES and PROBES make it long: CHANGES=2000 PROBES=10000000 is the whole of it."""

import os
import signal
import socket
import subprocess
import threading
import time
import unittest

from spaces import alone, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import ECHO, OK, PROGRAMS, Connection, World, result, sekisho

CHANGES = int(os.environ.get("CHANGES", 100))
PROBES = int(os.environ.get("PROBES", 200_000))
GRANTED, FORBIDDEN = 7000, [9004, 9006]  # what is ben's at times is never ana's

POLICY = """\
[person.ana]
name = "Ana"
[person.ben]
name = "Ben"
[device.ben-phone]
person = "ben"
public_key = "YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI="
addresses = ["10.66.7.7", "fd66::7:7"]
[resource.echo]
name = "Echo"
classification = "internal"
prefixes = ["203.0.113.10/32", "2001:db8:a::10/128"]
services = [{ service = "udp:7000", reason = "a server that counts" }]
[resource.near]
name = "Near"
classification = "internal"
prefixes = ["203.0.113.0/28", "2001:db8:a::/120"]
services = ["https"]
[resource.far]
name = "Far"
classification = "internal"
prefixes = ["203.0.113.10/32", "2001:db8:a::10/128"]
services = [{ service = "udp:9004", reason = "a server that counts" }, { service = "udp:9006", reason = "a server that counts" }]
[grant.ana-echo]
who = "person:ana"
resource = "echo"
reason = "test"
[grant.ana-near]
who = "person:ana"
resource = "near"
reason = "test"
[grant.ben-far]
who = "person:ben"
resource = "far"
reason = "test"
"""


def one_round(number):
    """Ten changes of every kind that there is, after which the policy is as it was."""
    connection = Connection(timeout=120)

    def change(operation, **parameters):
        reply = connection.ask(operation, **parameters)
        if "result" not in reply or not reply["result"]["changed"]:
            raise AssertionError(f"{operation} {parameters}: {reply}")
        return reply["result"]["revision"]

    before = change("grant.remove", id="ben-far")
    before = change("grant.add", id="ben-far", who="person:ben", resource="far", reason="test")
    change("resource.set", id="near", prefixes=["203.0.113.8/29", "2001:db8:a::/121"])
    before = change("resource.set", id="near", prefixes=["203.0.113.0/28", "2001:db8:a::/120"])
    change("person.set", id="ben", state="suspended")
    change("policy.rollback", revision=before)
    key = run("wg genkey | wg pubkey").strip()
    change("device.add", id=f"ben-{number}", person="ben", public_key=key)
    change("device.remove", id=f"ben-{number}")
    document = connection.ask("policy.export")["result"]["document"]
    change("policy.apply", document=document.replace("udp:9006", "udp:9005-9010").replace("203.0.113.10/32", "203.0.113.10/31"))
    change("policy.apply", document=document)
    connection.close()


def judged():
    """Packets that came out of the gateway's tunnel: what the rules had to judge."""
    line = next(each for each in open("/proc/net/dev") if each.strip().startswith("wg0:"))
    return int(line.split()[2])


class Counted:
    """`probe` in a namespace until it is asked for its number."""

    def __init__(self, host, *words):
        with host:
            self.process = subprocess.Popen([PROGRAMS / "probe", *map(str, words)], text=True, stdout=subprocess.PIPE)

    def number(self):
        self.process.send_signal(signal.SIGTERM)
        return int(self.process.communicate(timeout=30)[0])


class Trickle(threading.Thread):
    """What is granted at every moment, a datagram in 10 ms."""

    def __init__(self, host, address):
        super().__init__(daemon=True)
        with host:
            self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.to, self.sent, self.stopping = (address, GRANTED), 0, False
        self.start()

    def run(self):
        while not self.stopping:
            self.socket.sendto(b"granted", self.to)
            self.sent += 1
            time.sleep(0.01)

    def number(self):
        self.stopping = True
        self.join()
        return self.sent


def storm(world, client, act, enough):
    """Acts under the storm until it is enough; how many probes were judged and how many of each
    port arrived."""
    came = judged()
    counters = {port: Counted(world.server, "count", port) for port in (GRANTED, *FORBIDDEN)}
    floods = [Counted(client.host, "flood", address, port) for address, port in zip(ECHO, FORBIDDEN)]
    trickles = [Trickle(client.host, address) for address in ECHO]
    wait_until(lambda: judged() > came + 1000, 30, "the storm to reach the rules")
    rounds = 0
    while not enough(rounds, judged() - came):
        act(rounds)
        rounds += 1
    told = {"granted_sent": sum(each.number() for each in trickles), "sent": [each.number() for each in floods],
            "rounds": rounds, "judged": judged() - came}
    time.sleep(1)  # what is still on its way
    told["granted"] = counters[GRANTED].number()
    told["leaked"] = [counters[port].number() for port in FORBIDDEN]
    return told


class Storm(unittest.TestCase):
    def setUp(self):
        self.world = World(clients=("ana",), policy=POLICY)
        self.client, = self.world.clients
        wait_until(lambda: self.passes(), 30, "what is granted to arrive")

    def passes(self):
        """Whether datagrams that are granted arrive, of both families."""
        counter = Counted(self.world.server, "count", GRANTED)
        time.sleep(0.3)
        with self.client.host:
            for address in ECHO:
                with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.sendto(b"granted", (address, GRANTED))
        time.sleep(0.3)
        return counter.number() == len(ECHO)

    def test_a_storm_of_changes(self):
        began = time.monotonic()
        told = storm(self.world, self.client, one_round,
                     lambda rounds, probes: rounds * 10 >= CHANGES and probes >= PROBES)
        print(f"{told['rounds'] * 10} changes in {time.monotonic() - began:.0f} s under {told['judged']} probes"
              f" (sent {told['sent']}, v4 and v6): leaked {told['leaked']};"
              f" granted: {told['granted']} of {told['granted_sent']} arrived")
        self.assertEqual(told["leaked"], [0, 0])
        self.assertGreater(min(told["sent"]), PROBES // 10)
        self.assertGreater(told["granted"], told["granted_sent"] // 10)
        self.assertEqual(self.world.daemon.answers(), OK)
        # The control: the same storm, and a ruleset that is replaced as most are.
        self.world.daemon.end()
        self.replace_by_the_control()
        told = storm(self.world, self.client, lambda _: run(f"nft -f {self.reload}"),
                     lambda rounds, _: rounds >= 40)
        print(f"control: {told['rounds']} reloads under {told['judged']} probes: leaked {told['leaked']}")
        for leaked in told["leaked"]:
            self.assertGreater(leaked, 0)

    def replace_by_the_control(self):
        """A chain with policy drop that a transaction deletes and makes again: until its end the new
        one accepts. What the transaction holds besides decides how long that takes."""
        run("nft delete table inet sekisho; ip rule flush; ip -6 rule flush")
        for family in "-4", "-6":
            run(f"ip {family} rule add pref 0 lookup local; ip {family} rule add pref 32766 lookup main")
        elements = ", ".join(f"10.99.{third}.{last}" for third in range(40) for last in range(200))
        table = f"""
table inet control {{
  set staff {{ type ipv4_addr; elements = {{ {elements} }} }}
  chain forward {{
    type filter hook forward priority 0; policy drop;
    udp dport {GRANTED} accept
    ip saddr @staff accept
  }}
  chain nat {{ type nat hook postrouting priority srcnat; masquerade; }}
}}
"""
        self.reload = "/run/test/control.nft"
        with open(self.reload, "w") as file:
            file.write(table)
        run(f"nft -f {self.reload}")
        with open(self.reload, "w") as file:
            file.write("flush chain inet control forward\ndelete chain inet control forward\n"
                       "flush set inet control staff\n" + table.replace("chain nat {", "chain unused {").replace(
                           "type nat hook postrouting priority srcnat; masquerade;", ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
