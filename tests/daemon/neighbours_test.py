#!/usr/bin/env python3
"""A change to one device disturbs no other: its session, its counters and its flows go on."""

import unittest

from spaces import Stream, alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import CONFLICT, ECHO, FAILURE, GRANTED, World, sekisho


def peer(key):
    """What WireGuard counts for a peer; None where there is none."""
    for line in run("wg show wg0 dump").splitlines()[1:]:
        fields = line.split("\t")
        if fields[0] == key:
            return {"endpoint": fields[2], "handshake": int(fields[4]), "received": int(fields[5]), "sent": int(fields[6])}
    return None


class Neighbours(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.ana, cls.ben = cls.world.clients

    def setUp(self):
        wait_until(lambda: attempt(self.ana.host, ECHO[0], GRANTED, 2) == "passes", 20, "ana's traffic")
        self.before = peer(self.ana.public_key)
        self.streams = [Stream(self.ana.host, address, GRANTED) for address in ECHO]

    def tearDown(self):
        for stream in self.streams:
            stream.stop()

    def check_undisturbed(self, what):
        now = peer(self.ana.public_key)
        # WireGuard itself shakes hands anew after 120 s of a session.
        aged = now["handshake"] - self.before["handshake"]
        self.assertTrue(aged == 0 or aged >= 115, (what, self.before, now))
        self.assertEqual(now["endpoint"], self.before["endpoint"], what)
        for count in "received", "sent":
            self.assertGreaterEqual(now[count], self.before[count], what)
        rounds = [stream.rounds for stream in self.streams]
        wait_until(lambda: all(s.failure or s.rounds > r for s, r in zip(self.streams, rounds)), 10, "the streams")
        self.assertEqual([stream.failure for stream in self.streams], [None, None], what)
        self.before = now

    def test_whatever_happens_to_another_device(self):
        other = run("wg genkey | wg pubkey").strip()
        third = run("wg genkey | wg pubkey").strip()
        for words, expect in [
                (f"device add ben-tablet --person ben --public-key {other}", 0),
                ("device set ben-tablet --state blocked", 0),
                ("device set ben-tablet --state active", 0),
                (f"device set ben-tablet --public-key {third}", 0),
                ("device set ben-tablet --address 10.66.7.7 --address fd66::7:7", 0),
                ("device remove ben-tablet", 0),
                ("device set ben-laptop --state blocked", 0),
                ("device set ben-laptop --state active", 0),
                ("person set ben --state suspended", 0),
                ("person set ben --state active", 0),
                ("grant remove ben-echo", 0),
                ("grant add ben-echo --who person:ben --resource echo --reason again", 0),
                ("resource add mail --classification internal --prefix 203.0.113.20/32 --service tls:993", 0),
                ("resource remove mail", 0),
                (f"device add ben-copy --person ben --public-key {self.ana.public_key}", FAILURE),
                ("person add ben --name Again", CONFLICT)]:
            sekisho(words, expect)
            self.check_undisturbed(words)
        self.ben.reconnect()
        wait_until(lambda: attempt(self.ben.host, ECHO[0], GRANTED, 2) == "passes", 20, "ben's traffic")
        self.check_undisturbed("ben comes back")
        print("longest round trip under changes:", [f"{stream.longest:.3f} s" for stream in self.streams], flush=True)

    def test_repairs_of_another_peer(self):
        for command in [f"wg set wg0 peer {self.ben.public_key} remove",
                        f"wg set wg0 peer {run('wg genkey | wg pubkey').strip()} allowed-ips 10.66.9.9/32"]:
            run(command)
            wait_until(lambda: peer(self.ben.public_key) and len(run("wg show wg0 peers").split()) == 2, 10, "the repair")
            self.check_undisturbed(command)

    def test_the_control_a_change_to_this_device_is_seen(self):
        sekisho("device set ana-laptop --state blocked")
        wait_until(lambda: all(stream.failure for stream in self.streams), 30, "the streams to break")
        self.assertIsNone(peer(self.ana.public_key))
        sekisho("device set ana-laptop --state active")
        self.ana.reconnect()
        self.assertLess(peer(self.ana.public_key)["received"], self.before["received"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
