#!/usr/bin/env python3
"""What begins and ends by itself does so on its second; ends also while the daemon is dead."""

import datetime
import time
import unittest

from spaces import Flow, alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import ECHO, GRANTED, World, log_end, sekisho

LATE_S = 1.0  # how late something may begin or end


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

    def became(self, client, wanted, at, what):
        """When it became so, relative to the second it was due."""
        self.assertNotEqual(self.passes(client), wanted, what)
        wait_until(lambda: self.passes(client) == wanted, 20, lambda: f"{what}; log:\n{log_end()}", pause=0.005)
        late = time.time() - at
        print(f"{late:+.3f} s  {what}", flush=True)
        self.assertGreater(late, -0.02, f"{what}: too early")
        return late

    def test_grants_begin_and_end(self):
        begins, from_ = in_seconds(2)
        ends, until = in_seconds(4)
        sekisho(f"grant set ana-echo --from {from_} --until {until}")
        late = [self.became(self.ana, True, begins, "a grant begins")]
        flow = Flow(self.ana.host, ECHO[1], GRANTED, timeout=3)
        self.assertTrue(flow.says())
        late.append(self.became(self.ana, False, ends, "a grant ends"))
        with self.assertRaises(OSError):  # the live flow as well
            flow.says()
        self.assertTrue(self.passes(self.ben))
        sekisho("grant set ana-echo --from never --until never")
        self.assertTrue(self.passes(self.ana))
        self.assertLess(min(late), LATE_S)

    def test_a_grant_ends_with_the_daemon_dead(self):
        ends, until = in_seconds(3)
        sekisho(f"grant set ana-echo --until {until}")
        flow = Flow(self.ana.host, ECHO[1], GRANTED, timeout=3)
        self.daemon.end(9)
        self.assertTrue(flow.says())
        self.became(self.ana, False, ends, "a grant ends, the daemon dead")
        with self.assertRaises(OSError):
            flow.says()
        self.daemon.start()
        self.assertFalse(self.passes(self.ana))
        sekisho("grant set ana-echo --until never")
        self.assertTrue(self.passes(self.ana))

    def test_a_person_ends_and_loses_the_tunnel(self):
        ends, until = in_seconds(2)
        sekisho(f"person set ben --valid-until {until}")
        self.became(self.ben, False, ends, "a person ends")
        wait_until(lambda: self.ben.public_key not in run("wg show wg0 peers"), 10, "the tunnel to go")
        print(f"{time.time() - ends:+.3f} s  and the tunnel is gone", flush=True)
        self.assertIn(self.ana.public_key, run("wg show wg0 peers"))
        self.assertTrue(self.passes(self.ana))
        sekisho("person set ben --valid-until never")
        self.assertIn(self.ben.public_key, run("wg show wg0 peers"))
        self.ben.reconnect()
        wait_until(lambda: self.passes(self.ben), 20, "ben's traffic")

    def test_a_person_who_ended_while_the_daemon_was_dead_has_no_tunnel_after_it(self):
        ends, until = in_seconds(1)
        sekisho(f"person set ben --valid-until {until}")
        self.daemon.end(9)
        self.became(self.ben, False, ends, "a person ends, the daemon dead")
        self.assertIn(self.ben.public_key, run("wg show wg0 peers"))  # WireGuard knows no time
        self.daemon.start()
        self.assertNotIn(self.ben.public_key, run("wg show wg0 peers"))
        sekisho("person set ben --valid-until never")
        self.ben.reconnect()
        wait_until(lambda: self.passes(self.ben), 20, "ben's traffic")


if __name__ == "__main__":
    unittest.main(verbosity=2)
