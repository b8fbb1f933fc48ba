#!/usr/bin/env python3
"""The log: what stays wrong is told once, and told again when it comes back."""

import subprocess
import time
import unittest

from spaces import alone, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import LOG, NO, Daemon, log_end, result


class Log(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.daemon.make_interface()
        cls.daemon.start()

    def lines_of_an_outage(self, seconds):
        """What is logged while a table of somebody else's stands in the place of ours."""
        begin = len(LOG.read_text().splitlines())
        owner = subprocess.Popen(["nft", "-i"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            owner.stdin.write("delete table inet sekisho; add table inet sekisho { flags owner; }\n")
            owner.stdin.flush()
            wait_until(lambda: self.daemon.answers() == NO, 20, log_end)
            time.sleep(seconds)
            self.listed = run("nft list table inet sekisho")
            self.doctor = result("doctor", NO)
            self.problem = result("status", NO)["problem"]
        finally:
            owner.stdin.close()  # the table goes with its owner
            owner.wait()
        self.daemon.wait_enforcing()
        return LOG.read_text().splitlines()[begin:]

    def test_what_the_kernel_keeps_refusing_is_told_once(self):
        for outage in "first", "second":
            with self.subTest(outage):
                lines = self.lines_of_an_outage(seconds=6)  # it is tried every second
                self.assertTrue(lines)
                self.assertEqual(len(lines), len(set(lines)), "\n".join(lines))
                refused = [line for line in lines if "the kernel refused" in line]
                self.assertTrue(refused, "\n".join(lines))
                self.assertIn("if another program owns the table, nft list table inet sekisho names it", refused[0])
                self.assertIn("progname nft", self.listed)  # as the advice says
                enforcement = self.doctor["findings"][0]
                self.assertNotIn("restart", enforcement["mend"])
                self.assertIn("the kernel refused", self.problem)  # where doctor says to look


if __name__ == "__main__":
    unittest.main(verbosity=2)
