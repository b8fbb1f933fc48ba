#!/usr/bin/env python3
"""Beside Docker, as Debian has it, whose rules are written whenever it starts."""

import unittest

from spaces import RUN, alone, run, wait_until

if __name__ == "__main__":
    alone()

from beside import Beside, started, stop


class Docker(Beside, unittest.TestCase):
    drops = [("ip", "filter", "FORWARD")]
    lasting = ["iptables -I DOCKER-USER -i wg0 -j ACCEPT", "iptables -I DOCKER-USER -o wg0 -j ACCEPT"]
    let_by = drops

    @classmethod
    def start_neighbour(cls):
        cls.dockerd = started(f"exec dockerd --data-root {RUN}/docker --storage-driver vfs", "dockerd.log")
        wait_until(lambda: run("docker version >/dev/null 2>&1 && echo up", check=False) == "up\n", 60,
                   lambda: "Docker:\n" + (RUN / "dockerd.log").read_text(), 0.3)

    def reload_neighbour(self):
        stop(self.dockerd)
        self.start_neighbour()


if __name__ == "__main__":
    unittest.main(verbosity=2)
