#!/usr/bin/env python3
"""Beside ufw, as Debian has it and `ufw enable` begins."""

import unittest

from spaces import alone, run

if __name__ == "__main__":
    alone()

from beside import Beside


class Ufw(Beside, unittest.TestCase):
    drops = [(family, "filter", chain) for family in ("ip", "ip6") for chain in ("INPUT", "FORWARD")]
    lasting = ["ufw allow 51820/udp", "ufw allow in on wg0", "ufw route allow in on wg0", "ufw route allow out on wg0"]
    let_by = [("ip", "filter", "FORWARD")]  # IPv6: source routing, which is dropped first

    @classmethod
    def start_neighbour(cls):
        run("ufw --force enable")

    def reload_neighbour(self):
        run("ufw reload")


if __name__ == "__main__":
    unittest.main(verbosity=2)
