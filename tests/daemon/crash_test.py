#!/usr/bin/env python3
"""kill -9 and SIGTERM at random moments under a stream of changes: the policy stays in force, the
next start adopts it, and nothing acknowledged is lost."""

import os
import random
import signal
import threading
import time
import unittest

from spaces import Flow, alone, attempt, wait_until

if __name__ == "__main__":
    alone()

import kernel
from gateway import ECHO, GRANTED, OK, OTHER, SOCKET, Connection, World, records, result, sekisho

KILLS, STOPS = 20, 4


class Changes(threading.Thread):
    """Grants that are added and removed, and people that are added, as fast as they are answered."""

    def __init__(self, world, first):
        super().__init__(daemon=True)
        self.there = dict(world)  # what was acknowledged: object -> is there
        self.acknowledged, self.unknown, self.refused, self.number = 0, None, [], first
        self.start()

    def run(self):
        try:
            connection = Connection()
            while True:
                self.number += 1
                name = f"x{self.number}"
                self.change(connection, "grant", name, True, "grant.add", id=name, who="person:ben", resource="web", reason="test")
                self.change(connection, "person", name, True, "person.add", id=name, name=name)
                self.change(connection, "grant", name, False, "grant.remove", id=name)
        except (OSError, EOFError):
            pass  # the daemon is dead: the last one may or may not be done

    def change(self, connection, kind, what, there, operation, **parameters):
        self.unknown = (kind, what)
        answer = connection.ask(operation, **parameters)
        if "errors" in answer:
            self.refused.append(answer)
        else:
            self.there[(kind, what)] = there
            self.acknowledged += 1
        self.unknown = None


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
        print(f"SEED={cls.seed}", flush=True)
        cls.random = random.Random(cls.seed)
        cls.world = World()
        cls.daemon = cls.world.daemon
        cls.ana, cls.ben = cls.world.clients
        cls.there, cls.number, cls.acknowledged = {}, 0, 0  # of all tests together

    def setUp(self):
        self.flows = [Flow(self.ana.host, address, GRANTED, timeout=10) for address in ECHO]
        self.assert_in_force()

    def tearDown(self):
        for flow in self.flows:
            flow.close()

    def assert_in_force(self):
        for flow in self.flows:
            self.assertTrue(flow.says())  # it was never interrupted
        for client in self.ana, self.ben:
            for address in ECHO:
                self.assertEqual(attempt(client.host, address, GRANTED), "passes")
                self.assertEqual(attempt(client.host, address, OTHER), "refused")

    def assert_whole(self, changes):
        self.assertEqual(changes.refused, [])
        policy = {(kind, row["id"]) for kind in ("grant", "person") for row in result(f"{kind} list")}
        for (kind, name), there in changes.there.items():
            if (kind, name) != changes.unknown:
                self.assertEqual((kind, name) in policy, there, (kind, name, f"SEED={self.seed}"))
        seen = type(self)
        seen.there = {key: key in policy for key in {*changes.there, changes.unknown} - {None}}
        seen.number, seen.acknowledged = changes.number, self.acknowledged + changes.acknowledged
        self.assertGreaterEqual(records(limit=1)[0]["sequence"], seen.acknowledged)
        sekisho("audit verify", OK)
        history = result("policy history --limit 1000")
        numbers = [row["revision"] for row in history]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] - len(numbers), -1)))
        self.assertEqual([row["state"] for row in history].count("active"), 1)
        self.assertNotIn("pending", [row["state"] for row in history])

    def end_and_start(self, number, moment, while_starting=False):
        changes = Changes(self.there, self.number)
        time.sleep(moment)
        code = self.daemon.end(number)
        changes.join(10)
        self.assertFalse(changes.is_alive())
        self.assert_in_force()
        if while_starting:
            self.daemon.start(ready=False)
            time.sleep(moment / 10)
            self.daemon.end(number)
            self.assert_in_force()
        self.daemon.start()
        self.assert_whole(changes)
        self.assert_in_force()
        return code

    def test_killed(self):
        for kill in range(KILLS):
            moment = self.random.uniform(0, 0.4)
            with self.subTest(kill=kill, moment=moment):
                code = self.end_and_start(signal.SIGKILL, moment, while_starting=kill % 4 == 3)
                self.assertEqual(code, -signal.SIGKILL)
        print(f"{KILLS} kills, {self.acknowledged} changes acknowledged", flush=True)
        self.assertGreater(self.acknowledged, KILLS)
        self.assertEqual(result("status")["repairs"], 0)

    def test_stopped(self):
        for _ in range(STOPS):
            code = self.end_and_start(signal.SIGTERM, self.random.uniform(0, 0.4))
            self.assertEqual(code, 0)
        self.daemon.end()
        self.assertFalse(SOCKET.exists())
        sekisho("status", 6)
        self.daemon.start()

    def test_the_control_what_changes_while_it_is_dead_is_made_right_at_the_start(self):
        right = kernel.table()
        self.daemon.end(signal.SIGKILL)
        kernel.run("nft flush ruleset")
        self.assertNotEqual(attempt(self.ana.host, ECHO[0], GRANTED, 1), "passes")  # nobody repairs; it fails closed
        self.daemon.start()
        self.assertEqual(kernel.difference(right, kernel.table()), "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
