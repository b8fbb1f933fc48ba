#!/usr/bin/env python3
"""Off the network now: devices, people, resources, everyone; and back only as it is meant."""

import os
import signal
import unittest

from spaces import RUN, Flow, alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import (ECHO, FAILURE, GRANTED, NO, NOT_FOUND, NOT_PERMITTED, OK, OTHER, POLICY, World, records, result,
                     sekisho)

MENDING = POLICY + """\
[resource.updates]
name = "Updates"
classification = "internal"
prefixes = ["203.0.113.10/32", "2001:db8:a::10/128"]
services = [{ service = "tcp:7001", reason = "a server that echoes" }]
[response]
remediation = ["updates"]
contact = "Sato, extension 1"
"""


def quarantine(target, level="isolate"):
    return result(f"quarantine add {target} --reason test" + ("" if target.startswith("resource") else f" --level {level}"))


def release(target, expect=OK, **how):
    return result(f"quarantine release {target} --reason clean --finding nothing", expect, **how)


def peers():
    return set(run("wg show wg0 peers").split())


class Quarantine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(policy=MENDING)
        cls.daemon = cls.world.daemon
        cls.ana, cls.ben = cls.world.clients

    @classmethod
    def tearDownClass(cls):
        cls.daemon.end()

    def setUp(self):
        for client in self.ana, self.ben:
            wait_until(lambda: self.passes(client), 60, f"traffic of {client.name}")

    def tearDown(self):
        for row in result("quarantine list"):
            release(row["target"])
        for client in self.ana, self.ben:
            client.reconnect()

    def passes(self, client, port=GRANTED, family=0):
        return attempt(client.host, ECHO[family], port, 2) == "passes"

    def alive(self, flow):
        try:
            return flow.says()
        except OSError:
            return False

    def flows(self, client, port=GRANTED):
        return [Flow(client.host, address, port, 3) for address in ECHO]

    def test_an_isolated_device_keeps_what_mends_it(self):
        flows, others = self.flows(self.ana), self.flows(self.ben)
        answer = quarantine("device:ana-laptop")
        self.assertEqual([self.alive(flow) for flow in flows + others], [False, False, True, True])
        proof = answer["proof"]
        self.assertEqual((answer["level"], answer["devices"], proof["elements"], proof["peers_removed"]),
                         ("isolate", ["ana-laptop"], 2, 0))
        self.assertGreaterEqual(proof["purged"], 2)
        print(f"isolated in {proof['milliseconds']} ms, all done in {proof['milliseconds_in_all']} ms")
        for family in 0, 1:
            self.assertFalse(self.passes(self.ana, GRANTED, family))
            self.assertTrue(self.passes(self.ana, OTHER, family), "remediation")
            self.assertFalse(self.passes(self.ben, OTHER, family), "nobody has a grant on it")
        self.assertIn(self.ana.public_key, peers())
        self.assertEqual(result("policy can ana 203.0.113.10:7000", expect=7)["reason"], "quarantined")
        release("device:ana-laptop")
        self.assertTrue(self.passes(self.ana))
        self.assertFalse(self.passes(self.ana, OTHER))

    def test_a_flow_that_an_isolated_device_may_have_goes_on(self):
        sekisho("grant add ana-updates --who person:ana --resource updates --reason test")
        keeps, loses = Flow(self.ana.host, ECHO[0], OTHER, 3), Flow(self.ana.host, ECHO[0], GRANTED, 3)
        self.assertTrue(keeps.says() and loses.says())
        quarantine("device:ana-laptop")
        self.assertEqual((self.alive(keeps), self.alive(loses)), (True, False))
        sekisho("grant remove ana-updates")

    def test_a_cut_device_has_nothing_and_no_peer(self):
        flows = self.flows(self.ana)
        answer = quarantine("person:ana", "cut")
        self.assertEqual([self.alive(flow) for flow in flows], [False, False])
        self.assertEqual(answer["proof"]["peers_removed"], 1)
        self.assertNotIn(self.ana.public_key, peers())
        self.assertFalse(self.passes(self.ana) or self.passes(self.ana, OTHER))
        self.assertTrue(self.passes(self.ben))
        release("person:ana")
        self.assertIn(self.ana.public_key, peers())

    def test_nobody_reaches_a_resource_and_everyone_can_be_stopped(self):
        flows = self.flows(self.ana) + self.flows(self.ben)
        answer = quarantine("resource:echo")
        self.assertEqual([self.alive(flow) for flow in flows], [False] * 4)
        self.assertGreaterEqual(answer["proof"]["purged"], 4)
        before = result("status")["revision"]
        sekisho("resource set echo --prefix 203.0.113.77/32")
        self.assertFalse(self.passes(self.ana), "its addresses stay closed, and are nobody else's")
        sekisho(f"policy rollback {before}")
        self.assertFalse(self.passes(self.ana))
        release("resource:echo")
        flows = self.flows(self.ana) + self.flows(self.ben)
        answer = quarantine("everyone")
        self.assertEqual([self.alive(flow) for flow in flows], [False] * 4)
        self.assertTrue(self.passes(self.ana, OTHER) and self.passes(self.ben, OTHER), "remediation")
        self.assertEqual(quarantine("everyone", "cut")["level"], "cut")
        self.assertEqual(peers(), set())
        release("everyone")
        for client in self.ana, self.ben:
            client.reconnect()
            wait_until(lambda: self.passes(client), 60, "traffic")

    def test_nothing_but_a_release_releases(self):
        before = result("status")["revision"]
        document = sekisho("policy export").stdout
        quarantine("device:ana-laptop", "cut")
        self.assertEqual(quarantine("device:ana-laptop")["changed"], False)
        key = self.ana.public_key
        tries = {
            "apply": lambda: sekisho("policy apply -", input=document),
            "edit": lambda: sekisho("grant add more --who person:ana --resource web --reason more"),
            "rollback": lambda: sekisho(f"policy rollback {before}"),
            "state": lambda: sekisho("device set ana-laptop --state active"),
            "another person": lambda: sekisho("device set ana-laptop --person ben"),
            "re-enrolled": lambda: (sekisho("device remove ana-laptop"),
                                    sekisho(f"device add new-laptop --person ben --public-key {key}")),
            "under its name with a new key": lambda: (
                sekisho("device remove new-laptop"), self.ana.new_key(),
                sekisho(f"device add ana-laptop --person ana --public-key {self.ana.public_key}")),
            "kill -9": self.killed,
            "flush": lambda: run("nft flush ruleset"),
        }
        for name, act in tries.items():
            with self.subTest(name):
                act()
                self.daemon.wait_enforcing()
                addresses = result("device show " + ("new-laptop" if name == "re-enrolled" else "ana-laptop"))["addresses"]
                for family, address in (4, addresses[0]), (6, addresses[1]):
                    self.assertNotIn(address, self.cohorts(family))
                self.assertFalse(peers() & {key, self.ana.public_key})
        self.ana.use(sekisho("device profile ana-laptop").stdout)
        self.assertFalse(self.passes(self.ana))
        release("device:ana-laptop")
        self.ana.use(sekisho("device profile ana-laptop").stdout)
        wait_until(lambda: self.passes(self.ana), 60, "traffic after the release")

    def cohorts(self, family):
        return run(f"nft list map inet sekisho cohort{family}").replace(",", " ").split()

    def killed(self):
        os.kill(self.daemon.process.pid, signal.SIGKILL)
        self.daemon.process.wait()
        self.daemon.start()

    def test_a_release_says_why_and_may_need_two(self):
        sekisho("response set --two-people true")
        quarantine("device:ana-laptop")
        sekisho("quarantine release device:ana-laptop --reason clean", expect=2)
        sekisho("quarantine release device:ana-laptop --reason '' --finding ''", FAILURE)
        first = release("device:ana-laptop", NO)
        self.assertFalse(first["released"])
        sekisho("response set --two-people false")
        self.assertFalse(release("device:ana-laptop", NO)["released"], "the same person twice")
        self.assertFalse(self.passes(self.ana))
        run("groupadd --force --system sekisho-admin")
        run("id second >/dev/null 2>&1 || useradd --system --groups sekisho-admin second")
        self.assertTrue(release("device:ana-laptop", user="second")["released"])
        self.assertTrue(self.passes(self.ana))
        past = result("quarantine list --past")[0]
        self.assertEqual((past["target"], past["finding"], past["released_by"]), ("device:ana-laptop", "nothing", "second"))

    def test_mistakes_change_nothing(self):
        for words, code in (("quarantine add nobody --reason x", NOT_FOUND), ("quarantine add device:x --reason x", NOT_FOUND),
                            ("quarantine add ana-laptop --reason x --level soft", FAILURE),
                            ("quarantine add resource:echo --reason x --level cut", FAILURE),
                            ("quarantine add ana-laptop --reason ''", FAILURE),
                            ("quarantine release device:ana-laptop --reason x --finding y", NOT_FOUND)):
            with self.subTest(words):
                sekisho(words, code)
        self.assertEqual(result("quarantine list"), [])

    def test_a_drill_disturbs_nobody(self):
        flows = self.flows(self.ana)
        proof = result("quarantine test")["proof"]
        self.assertEqual(proof["elements"], 2)
        self.assertTrue(all(self.alive(flow) for flow in flows))

    def test_offboarding_says_first_what_it_ends(self):
        flows = self.flows(self.ben)
        told = result("person offboard ben")
        self.assertEqual((told["changed"], told["devices"], told["grants"]), (False, ["ben-laptop"], ["ben-echo"]))
        self.assertGreaterEqual(told["connections"], 2)
        self.assertTrue(all(self.alive(flow) for flow in flows))
        before = result("status")["revision"]
        done = result("person offboard ben --yes --reason left")
        self.assertEqual([self.alive(flow) for flow in flows], [False, False])
        self.assertGreaterEqual(done["proof"]["purged"], 2)
        self.assertEqual(result("person show ben")["state"], "suspended")
        sekisho("device show ben-laptop", NOT_FOUND)
        sekisho(f"policy rollback {before}")
        self.ben.use(sekisho(f"device add ben-laptop --person ben --public-key {self.ben.public_key}").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
