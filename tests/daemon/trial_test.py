#!/usr/bin/env python3
"""What a change would do is told before it is made; a change on trial returns by itself."""

import signal
import unittest

from spaces import RUN, Flow, alone, attempt, wait_until

if __name__ == "__main__":
    alone()

from gateway import CONFLICT, ECHO, GRANTED, NOT_FOUND, World, records, result, sekisho


class Trial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.daemon = cls.world.daemon
        cls.ana, cls.ben = cls.world.clients
        cls.lockout = RUN / "lockout.toml"

    @classmethod
    def tearDownClass(cls):
        cls.daemon.end()

    def setUp(self):
        # All that ana has goes; ben stays. The devices are those of now.
        document = sekisho("policy export").stdout
        self.lockout.write_text(document.replace('[grant.ana-echo]\nwho = "person:ana"', '[grant.ana-echo]\nwho = "person:ben"'))
        self.assertNotEqual(self.lockout.read_text(), document)
        for client in self.ana, self.ben:
            wait_until(lambda: self.passes(client), 60, "traffic")

    def passes(self, client):
        return attempt(client.host, ECHO[0], GRANTED, 2) == "passes"

    def alive(self, flow):
        try:
            return flow.says()
        except OSError:
            return False

    def test_diff_names_people_and_the_flows_that_end(self):
        flows = {(client.name, address): Flow(client.host, address, GRANTED, 3)
                 for client in (self.ana, self.ben) for address in ECHO}
        told = result(f"policy diff {self.lockout}")
        self.assertEqual([(row["people"], row["change"], row["resource"]) for row in told["access"]], [(["ana"], "loses", "echo")])
        ports = {flow.socket.getsockname()[1] for (name, _), flow in flows.items() if name == "ana"}
        named = {row["source_port"] for row in told["flows"] if row["person"] == "ana"}
        self.assertTrue(ports <= named, (ports, named))
        self.assertFalse([row for row in told["flows"] if row["person"] == "ben"])
        self.assertTrue(all(flow.says() for flow in flows.values()), "it was only asked")
        sekisho(f"policy apply {self.lockout}")
        for (name, address), flow in flows.items():
            self.assertEqual(self.alive(flow), name == "ben", (name, address))
        sekisho(f"policy rollback {result('status')['revision'] - 1}")

    def test_unconfirmed_it_returns_by_itself(self):
        before = result("status")["revision"]
        applied = result(f"policy apply {self.lockout} --confirm 4s")
        self.assertEqual(applied["returns_to"], before)
        self.assertEqual(result("status")["confirm_by"], applied["confirm_by"])
        self.assertFalse(self.passes(self.ana))
        sekisho("person set ana --name Other", CONFLICT)
        wait_until(lambda: self.passes(self.ana), 20, "the return")
        self.assertTrue(self.passes(self.ben))
        back = records("policy.rollback", 5)[0]
        self.assertEqual(back["actor"], "sekishod")
        self.assertIn("was not confirmed by", back["reason"])
        self.assertEqual(result("status")["revision"], before + 2)
        sekisho("policy confirm", NOT_FOUND)

    def test_a_document_that_forgot_the_devices_returns_them(self):
        """Whoever applies it is off the network, and on it again with the profile that they have."""
        document = self.lockout.read_text()
        forgetful = "\n".join(part for part in document.split("\n\n") if not part.startswith("[device."))
        sekisho("policy apply - --confirm 3s", input=forgetful)
        self.assertEqual(result("status")["devices"], 0)
        self.assertFalse(self.passes(self.ana))
        wait_until(lambda: result("status")["devices"] == 2, 20, "the return")
        for client in self.ana, self.ben:
            client.reconnect()
            wait_until(lambda: self.passes(client), 40, "traffic")

    def test_a_lost_device_does_not_wait(self):
        sekisho(f"policy apply {self.lockout} --confirm 4s")
        sekisho("device set ben-laptop --state blocked --reason lost")
        sekisho("device set ben-laptop --state active", CONFLICT)
        wait_until(lambda: self.passes(self.ana), 20, "the return")
        self.assertFalse(self.passes(self.ben))
        sekisho("device set ben-laptop --state active")

    def test_confirmed_it_stays(self):
        result(f"policy apply {self.lockout} --confirm 3s")
        sekisho("policy confirm")
        wait_until(lambda: not self.passes(self.ana), 10, "the new policy")
        with self.assertRaises(AssertionError):
            wait_until(lambda: self.passes(self.ana), 6, "a return that must not come")
        sekisho(f"policy rollback {result('status')['revision'] - 1}")

    def test_a_daemon_that_dies_returns_when_it_is_back(self):
        for late in False, True:
            with self.subTest(late=late):
                sekisho(f"policy apply {self.lockout} --confirm {1 if late else 5}s")
                self.daemon.end(signal.SIGKILL)
                if late:
                    self.assertFalse(self.passes(self.ana), "nobody is there to return it")
                self.daemon.start()
                wait_until(lambda: self.passes(self.ana), 30, "the return")

    def test_two_administrators_lose_nothing(self):
        base = result("policy export")["revision"]
        sekisho("person set ben --name Benjamin")  # the one
        refused = sekisho(f"policy apply {self.lockout} --base {base}", CONFLICT)  # the other, unaware
        self.assertIn(f"revision {base + 1} by root is active, not {base}", refused.stderr)
        self.assertEqual(result("person show ben")["name"], "Benjamin")
        sekisho("person set ben --name Ben")


if __name__ == "__main__":
    unittest.main(verbosity=2)
