#!/usr/bin/env python3
"""No policy is accepted that the kernel cannot load, and none loaded that the disk cannot keep."""

import errno
import os
import subprocess
import unittest

from spaces import Flow, alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

import kernel
from gateway import ECHO, FAILURE, GRANTED, NO, OK, STATE, TAKEN_BACK, World, log_end, records, result, sekisho

LOOSEN = "grant add ben-web --who person:ben --resource web --reason test"
TIGHTEN = "grant remove ana-web"
# What changes nothing in the kernel.
NOTHING = "person set ana --name Anna"
REDUNDANT = "grant add ana-echo-too --who person:ana --resource echo --reason test"
BLOCK = "device set ben-laptop --state blocked"


class Refusal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run(f"mkdir -m 700 {STATE} && mount -t tmpfs -o size=6m,mode=700 tmpfs {STATE}")
        cls.world = World()
        cls.daemon = cls.world.daemon
        cls.ana, cls.ben = cls.world.clients

    def setUp(self):
        self.before = self.state()

    def state(self):
        return {"policy": sekisho("policy export").stdout.splitlines(), "revision": [result("status", None)["revision"]],
                "peers": run("wg show wg0 latest-handshakes").splitlines(), **kernel.everything()}

    def assert_nothing_changed(self):
        for part, now in self.state().items():
            self.assertEqual(kernel.difference(self.before[part], now), "", part)

    def assert_refused(self, words, cause, code):
        told = sekisho(words, code).stderr
        self.assertRegex(told, r"\Aerror\[rolled_back\]: " if code == TAKEN_BACK else r"\Aerror\[failed\]: ")
        self.assertIn(cause, told.lower())
        self.assert_nothing_changed()

    def assert_accepted(self, *all_words):
        """The control: what was refused is accepted once the cause is gone; then back."""
        revision = result("status")["revision"]
        for words in all_words:
            sekisho(words)
        sekisho(f"policy rollback {revision}")
        sekisho("device set ben-laptop --state active")
        self.assertEqual(kernel.difference(self.before["table"], kernel.table()), "")
        self.ben.reconnect()
        wait_until(lambda: attempt(self.ben.host, ECHO[0], GRANTED, 2) == "passes", 20, "ben's traffic")

    # -- the kernel -----------------------------------------------------------------------------------

    def test_a_policy_that_the_kernel_refuses(self):
        # Somebody else owns a table of our name: nobody but its owner can change it.
        owner = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        owner.stdin.write("delete table inet sekisho; add table inet sekisho { flags owner; }\n")
        owner.stdin.flush()
        wait_until(lambda: self.daemon.answers() == NO, 20, log_end)
        self.assertEqual(result("status", NO)["state"], "degraded")
        self.assertNotEqual(attempt(self.ana.host, ECHO[0], GRANTED, 1), "passes")  # closed meanwhile
        policy = sekisho("policy export").stdout
        for words in LOOSEN, TIGHTEN, BLOCK, NOTHING, REDUNDANT:
            told = sekisho(words, FAILURE).stderr
            self.assertRegex(told, r"error\[\w+\]: .*sekisho")
            self.assertEqual(sekisho("policy export").stdout, policy)
            self.assertNotEqual(records(limit=5)[0]["result"], "ok")
        self.assertEqual(result("status", NO)["revision"], self.before["revision"][0])
        sekisho("doctor", NO)
        owner.stdin.close()  # the table goes with its owner
        owner.wait()
        self.daemon.wait_enforcing()
        self.assert_nothing_changed()
        self.assertEqual([row["result"] for row in records("enforcement", 20)][:1], ["ok"])
        self.assert_accepted(LOOSEN, REDUNDANT, NOTHING, TIGHTEN, BLOCK)

    # -- the disk -------------------------------------------------------------------------------------

    def fill(self):
        with open(STATE / "filler", "wb", buffering=0) as filler:
            for size in 65536, 4096:
                try:
                    while True:
                        filler.write(bytes(size))
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOSPC)

    def test_a_policy_that_the_full_disk_cannot_keep(self):
        self.fill()
        flow = Flow(self.ben.host, ECHO[0], GRANTED)
        try:
            # What takes away reaches the kernel before the disk, and is taken back there.
            for words, code in (LOOSEN, FAILURE), (TIGHTEN, TAKEN_BACK), (BLOCK, TAKEN_BACK):
                with self.subTest(words):
                    self.assert_refused(words, "full", code)
                    self.assertTrue(flow.says())  # whose right was gone for a moment, and whose tunnel never
            # What is in force is still enforced and repaired, and that cannot be recorded is told.
            run("nft flush ruleset")
            wait_until(lambda: not kernel.difference(self.before["table"], kernel.table()), 20, log_end)
            wait_until(lambda: "not recorded: drift" in log_end(200) or records("drift", 5), 10, log_end)
            sekisho("status", OK)
            sekisho("audit verify", OK)
            # A restart adopts what is there.
            self.daemon.end()
            self.daemon.start()
            self.assert_nothing_changed()
        finally:
            os.unlink(STATE / "filler")
        self.assert_accepted(LOOSEN, TIGHTEN, BLOCK)

    def test_a_policy_that_a_read_only_disk_cannot_keep(self):
        run(f"mount --bind {STATE} {STATE}; mount -o remount,ro,bind {STATE}")
        fill_by = self.world.daemon
        try:
            fill_by.end()
            fill_by.start(ready=False)
            code = fill_by.process.wait(timeout=30)
            self.assertEqual(code, FAILURE)
            self.assertIn("read-only", log_end().lower())
            self.assertEqual(attempt(self.ana.host, ECHO[0], GRANTED), "passes")  # the kernel keeps the policy
        finally:
            run(f"umount {STATE}")
        fill_by.start()
        self.assert_nothing_changed()


if __name__ == "__main__":
    unittest.main(verbosity=2)
