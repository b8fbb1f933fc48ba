#!/usr/bin/env python3
"""What begins and ends by itself does so on its second; ends also while the daemon is dead."""

import datetime
import time
import unittest

from spaces import Flow, alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import ECHO, GRANTED, World, log_end, sekisho

ENDS_S = 0.1  # the kernel's own timers
BEGINS_S = 1.0  # the daemon


def in_seconds(seconds):
    """A whole second at least so far ahead: (as a number, as RFC 3339)."""
    at = int(time.time()) + 1 + seconds
    return at, datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Time(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.daemon = cls.world.daemon
        cls.ana, cls.ben = cls.world.clients

    def passes(self, client, address=ECHO[0]):
        return attempt(client.host, address, GRANTED, 1) == "passes"

    def assert_becomes(self, client, wanted, at, what, late):
        """No attempt made later than `late` seconds after `at` goes the old way, none before `at` the new."""
        deadline = time.time() + 20
        old = None
        while time.time() < deadline:
            began = time.time()
            if self.passes(client) == wanted:
                break
            old = began
            time.sleep(0.005)
        self.assertIsNotNone(old, f"{what}: before its time")
        self.assertGreater(time.time() - at, -0.02, f"{what}: before its time")
        print(f"{old - at:+.3f} s  {what}: the last attempt of before", flush=True)
        self.assertLess(old - at, late, f"{what}; log:\n{log_end()}")

    def test_grants_begin_and_end(self):
        begins, from_ = in_seconds(3)
        ends, until = in_seconds(6)
        sekisho(f"grant set ana-echo --from {from_} --until {until}")
        self.assert_becomes(self.ana, True, begins, "a grant begins", BEGINS_S)
        flow = Flow(self.ana.host, ECHO[1], GRANTED, timeout=3)
        self.assertTrue(flow.says())
        self.assert_becomes(self.ana, False, ends, "a grant ends", ENDS_S)
        with self.assertRaises(OSError):  # the live flow as well
            flow.says()
        self.assertTrue(self.passes(self.ben))
        sekisho("grant set ana-echo --from never --until never")
        self.assertTrue(self.passes(self.ana))

    def test_a_grant_ends_with_the_daemon_dead(self):
        ends, until = in_seconds(3)
        sekisho(f"grant set ana-echo --until {until}")
        flow = Flow(self.ana.host, ECHO[1], GRANTED, timeout=3)
        self.daemon.end(9)
        self.assertTrue(flow.says())
        self.assert_becomes(self.ana, False, ends, "a grant ends, the daemon dead", ENDS_S)
        with self.assertRaises(OSError):
            flow.says()
        self.daemon.start()
        self.assertFalse(self.passes(self.ana))
        sekisho("grant set ana-echo --until never")
        self.assertTrue(self.passes(self.ana))

    def test_a_person_ends_and_loses_the_tunnel(self):
        ends, until = in_seconds(3)
        sekisho(f"person set ben --valid-until {until}")
        self.assert_becomes(self.ben, False, ends, "a person ends", ENDS_S)
        wait_until(lambda: self.ben.public_key not in run("wg show wg0 peers"), 10, "the tunnel to go")
        print(f"{time.time() - ends:+.3f} s  and the tunnel is gone", flush=True)
        self.assertIn(self.ana.public_key, run("wg show wg0 peers"))
        self.assertTrue(self.passes(self.ana))
        sekisho("person set ben --valid-until never")
        self.assertIn(self.ben.public_key, run("wg show wg0 peers"))
        self.ben.reconnect()
        wait_until(lambda: self.passes(self.ben), 20, "ben's traffic")

    def test_a_person_who_ended_while_the_daemon_was_dead_has_no_tunnel_after_it(self):
        ends, until = in_seconds(3)
        sekisho(f"person set ben --valid-until {until}")
        self.daemon.end(9)
        self.assert_becomes(self.ben, False, ends, "a person ends, the daemon dead", ENDS_S)
        self.assertIn(self.ben.public_key, run("wg show wg0 peers"))  # WireGuard knows no time
        self.daemon.start()
        self.assertNotIn(self.ben.public_key, run("wg show wg0 peers"))
        sekisho("person set ben --valid-until never")
        self.ben.reconnect()
        wait_until(lambda: self.passes(self.ben), 20, "ben's traffic")


if __name__ == "__main__":
    unittest.main(verbosity=2)
