#!/usr/bin/env python3
"""Beside firewalld, as Debian has it: everything in the zone `public`."""

import unittest

from spaces import alone, run, wait_until

if __name__ == "__main__":
    alone()

from beside import Beside, started


class Firewalld(Beside, unittest.TestCase):
    drops = [("inet", "firewalld", "filter_INPUT"), ("inet", "firewalld", "filter_FORWARD")]
    lasting = ["firewall-cmd --permanent --add-port=51820/udp",
               "firewall-cmd --permanent --zone=trusted --add-interface=wg0", "firewall-cmd --reload"]

    @classmethod
    def start_neighbour(cls):
        run("mkdir -p /run/dbus && dbus-daemon --system --fork --nopidfile")
        started("exec firewalld --nofork --nopid", "firewalld.log")
        wait_until(lambda: run("firewall-cmd --state", check=False).strip() == "running", 60, "firewalld", 0.3)

    def reload_neighbour(self):
        run("firewall-cmd --reload")
        run("firewall-cmd --complete-reload")


if __name__ == "__main__":
    unittest.main(verbosity=2)
