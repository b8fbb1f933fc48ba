#!/usr/bin/env python3
"""The configuration: mistakes are told with their place and touch nothing; reload is all or nothing."""

import json
import os
import signal
import subprocess
import unittest

from spaces import RUN, alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

import kernel
from gateway import (CONFIG, ECHO, FAILURE, GOOD_CONFIG, GRANTED, LOG, OK, PROGRAMS, SOCKET, STATE, USAGE, Daemon, World, log_end,
                     records, result, sekisho, start_wireguard)

TUNNEL = '[tunnel]\nendpoint = "192.0.2.1:51820"\npools = ["10.66.0.0/16"]\n'

# What is written, where the mistake is, at which object, and why.
MISTAKES = [
    ("[tunnel", "1:8", "", "expected"),
    ('[tunnel]\nendpoint = "a:1\npools = []', "2:16", "", ""),
    ("", None, "tunnel", "the section is missing"),
    ("tunnel = 7", "1:10", "tunnel", "is not a section"),
    (TUNNEL + "[surprise]\nx = 1", "4:1", "surprise", "no such setting"),
    (TUNNEL + "colour = 1", "4:10", "tunnel.colour", "no such setting"),
    (TUNNEL + "[gateway]\nname = 7", "5:8", "gateway.name", "is not a text"),
    (TUNNEL + '[gateway]\nname = "a b"', "5:8", "gateway.name", "is not a name"),
    ('[tunnel]\npools = ["10.66.0.0/16"]', "1:1", "tunnel.endpoint", "is missing"),
    ('[tunnel]\nendpoint = "a:1"', "1:1", "tunnel.pools", "is missing"),
    ('[tunnel]\nendpoint = "here"\npools = ["10.66.0.0/16"]', "2:12", "tunnel.endpoint", "not an address and port"),
    ('[tunnel]\nendpoint = "a:1"\npools = "10.66.0.0/16"', "3:9", "tunnel.pools", "is not a list"),
    ('[tunnel]\nendpoint = "a:1"\npools = [7]', "3:10", "tunnel.pools[0]", "is not a text"),
    ('[tunnel]\nendpoint = "a:1"\npools = ["10.66.0.1/16"]', "3:10", "tunnel.pools[0]", ""),
    ('[tunnel]\nendpoint = "a:1"\npools = ["10.66.0.0/31"]', "3:10", "tunnel.pools[10.66.0.0/31]", "too narrow"),
    ('[tunnel]\nendpoint = "a:1"\npools = ["10.66.0.0/16", "10.67.0.0/16"]', "3:9", "tunnel.pools", "more than one"),
    (TUNNEL + 'interface = "all"', "4:13", "tunnel.interface", "cannot be the name"),
    (TUNNEL + "mtu = 99", "4:7", "tunnel.mtu", "1280 to 9000"),
    (TUNNEL + "listen_port = 65536", "4:15", "tunnel.listen_port", "1 to 65535"),
    (TUNNEL + 'own_table = "yes"', "4:13", "tunnel.own_table", "neither true nor false"),
    (TUNNEL + '[network]\npublic_prefixes = ["here"]', "5:20", "network.public_prefixes[0]", ""),
    (TUNNEL + '[paths]\nstate = "here"', "5:9", "paths.state", "not absolute"),
    (TUNNEL + '[paths]\nruntime = 7', "5:11", "paths.runtime", "is not a text"),
]


def sekishod(*arguments, user=None, capability=None):
    command = [PROGRAMS / "sekishod", *arguments]
    kept = [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"] if capability else []
    if user:
        command = ["setpriv", f"--reuid={user}", "--clear-groups", *kept, *command]
    return subprocess.run(command, text=True, capture_output=True, timeout=60)


class AMistake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        start_wireguard("wg0")

    def setUp(self):
        self.before = self.untouched()

    def untouched(self):
        """All that a start would change."""
        return (run("nft list ruleset"), kernel.wireguard(), kernel.routing(), kernel.settings(),
                sorted(str(path) for path in RUN.rglob("*") if path != CONFIG))

    def assert_refused(self, expect, *arguments, user=None):
        done = sekishod(*arguments, user=user)
        self.assertEqual(done.returncode, expect, done.stderr)
        self.assertEqual(self.untouched(), self.before)
        return done.stderr

    def test_has_its_place_and_touches_nothing(self):
        for text, place, object_, cause in MISTAKES:
            with self.subTest(text):
                CONFIG.write_text(text + "\n")
                for arguments in ["--config", str(CONFIG)], ["--config", str(CONFIG), "--check"]:
                    told = self.assert_refused(USAGE, *arguments)
                    self.assertRegex(told, r"\A<3>")
                    self.assertIn(f"{CONFIG}:{place}" if place else f"{CONFIG}: {object_}", told)
                    self.assertIn(object_ + ": ", told)
                    self.assertIn(cause, told)
                    self.assertRegex(told, r"\(.+\)\n", "no advice")

    def test_all_are_told_at_once(self):
        CONFIG.write_text('[tunnel]\nmtu = 1\nlisten_port = 0\n[nonsense]\n')
        self.assertEqual(len(self.assert_refused(USAGE, "--config", str(CONFIG)).splitlines()), 5)

    def test_a_file_that_is_missing_or_cannot_be_read(self):
        self.assertIn("No such file", self.assert_refused(USAGE, "--config", "/nonexistent"))
        self.assertIn("Is a directory", self.assert_refused(USAGE, "--config", "/run"))
        CONFIG.write_text(GOOD_CONFIG)
        CONFIG.chmod(0o600)
        self.assertIn("Permission denied", self.assert_refused(USAGE, "--config", str(CONFIG), user="nobody"))

    def test_in_the_words_typed(self):
        self.assertEqual(sekishod("--nonsense").returncode, USAGE)
        self.assertEqual(sekishod("--help").returncode, OK)
        self.assertEqual(sekishod("--version").returncode, OK)

    def test_the_control_a_good_file_changes_all_that_is_looked_at(self):
        CONFIG.write_text(GOOD_CONFIG)
        self.assertEqual(sekishod("--config", str(CONFIG), "--check").returncode, OK)
        self.assertEqual(self.untouched(), self.before)
        daemon = Daemon()
        daemon.start()
        for was, now in zip(self.before, self.untouched(), strict=True):
            self.assertNotEqual(was, now)
        daemon.end()
        run(f"nft flush ruleset; rm -rf {STATE} {RUN}/run {LOG}")

    def test_a_tunnel_whose_process_lets_nobody_else_in_says_so(self):
        run(f"mkdir {RUN}/own && chown nobody {RUN}/own && chmod 755 {RUN}")
        CONFIG.write_text(GOOD_CONFIG.replace("/run/test/", "/run/test/own/"))
        CONFIG.chmod(0o644)
        done = sekishod("--config", str(CONFIG), user="nobody", capability="net_admin")
        self.assertEqual(done.returncode, FAILURE, done.stderr)
        self.assertIn("wg0.sock: Permission denied", done.stderr)
        self.assertIn("let sekishod's user read and write it", done.stderr)
        run(f"rm -r {RUN}/own")

    def test_a_start_that_cannot_be_finished_loads_nothing(self):
        def rules():
            return run("nft list ruleset") + run("ip rule")
        before = rules()
        for mistake, cause in [(GOOD_CONFIG.replace("/run/test/run", "/proc/nowhere"), "/proc/nowhere"),
                               (GOOD_CONFIG.replace("/run/test/run", "/run/" + "x" * 120), "longer than a socket"),
                               (GOOD_CONFIG.replace("/run/test/state", "/proc/nowhere"), "/proc/nowhere"),
                               (GOOD_CONFIG.replace("wg0", "wg7"), "ip link add wg7 type wireguard")]:
            CONFIG.write_text(mistake)
            done = sekishod("--config", str(CONFIG))
            self.assertEqual(done.returncode, FAILURE, done.stderr)
            self.assertIn(cause, done.stderr)
            self.assertEqual(rules(), before)
        run(f"rm -rf {STATE} {RUN}/run")


class Reload(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run("ip link del wg0; rm -rf /run/test/*", check=False)
        cls.world = World(clients=["ana"])
        cls.client, = cls.world.clients
        cls.daemon = cls.world.daemon

    def reload(self, config, told):
        lines = len(LOG.read_text().splitlines())
        CONFIG.write_text(config)
        self.daemon.send(signal.SIGHUP)
        def said():
            return "\n".join(LOG.read_text().splitlines()[lines:])
        wait_until(lambda: told in said(), 20, lambda: f"{told!r} in the log; it says:\n{said()}")
        self.assertEqual(self.daemon.answers(), OK)
        return said()

    def assert_flows(self):
        self.assertEqual(attempt(self.client.host, ECHO[0], GRANTED), "passes")

    def test_a_good_change_takes_effect_and_disturbs_nobody(self):
        self.assert_flows()
        handshake = run("wg show wg0 latest-handshakes")
        changed = (GOOD_CONFIG.replace("mtu = 1420", "mtu = 1400").replace("192.0.2.1:", "192.0.2.9:")
                   .replace("198.51.100.0/24", "203.0.113.64/26"))
        can = "policy can ana 198.51.100.7:443"
        sekisho("grant add ana-internet --who person:ana --resource internet --reason test")
        sekisho(can, OK)
        self.reload(changed, "reloaded")
        self.assertIn("mtu 1400", kernel.routing())
        self.assertIn("MTU = 1400", sekisho("device profile ana-laptop").stdout)
        self.assertIn("Endpoint = 192.0.2.9:51820", sekisho("device profile ana-laptop").stdout)
        sekisho(can, 7)
        reloaded = records("reload", 20)[0]
        self.assertEqual((reloaded["actor"], reloaded["result"]), ("sekishod", "ok"))
        self.assertIn("198.51.100.0/24", reloaded["before"])
        self.assertIn("203.0.113.64/26", reloaded["after"])
        self.assertEqual(result("doctor", None)["findings"][0]["good"], True)
        self.assertEqual(run("wg show wg0 latest-handshakes"), handshake)
        self.assert_flows()
        self.reload(GOOD_CONFIG, "reloaded")
        sekisho(can, OK)
        sekisho("grant remove ana-internet")

    def test_what_is_wrong_changes_nothing_and_is_told(self):
        before = kernel.everything()
        for config, told in [
                (GOOD_CONFIG.replace("mtu = 1420", "mtu = 1400\nx = 1"), f"{CONFIG}:8:5: tunnel.x"),
                (GOOD_CONFIG.replace("[tunnel]", "[tunnel"), f"{CONFIG}:3"),
                (GOOD_CONFIG.replace("1420", "1400").replace("10.66.0.0/16", "10.77.0.0/16"), "ana-laptop"),
                (GOOD_CONFIG.replace("1420", "1400").replace('"wg0"', '"wg1"'), "cannot change while running"),
                (GOOD_CONFIG.replace("1420", "1400").replace("[network]", "own_table = true\n[network]"), "cannot change"),
                (GOOD_CONFIG.replace("1420", "1400").replace("/run/test/state", "/run/test/other"), "cannot change")]:
            with self.subTest(told):
                self.assertIn("not reloaded: ", self.reload(config, told))
                for part, was in before.items():
                    self.assertEqual(kernel.difference(was, kernel.PARTS[part]()), "")
                self.assertIn("MTU = 1420", sekisho("device profile ana-laptop").stdout)
        CONFIG.unlink()
        self.daemon.send(signal.SIGHUP)
        wait_until(lambda: "No such file" in log_end(), 10, log_end)
        self.assert_flows()
        self.reload(GOOD_CONFIG, "reloaded")

    def test_another_pool_moves_the_gateway(self):
        sekisho("device remove ana-laptop")
        self.reload(GOOD_CONFIG.replace("10.66.0.0/16", "10.77.0.0/16"), "reloaded")
        self.assertIn("inet 10.77.0.1/32", kernel.routing())
        self.assertNotIn("10.66.0", "\n".join(kernel.routing()))
        sekisho("doctor", None)
        self.client.use(sekisho(f"device add ana-laptop --person ana --public-key {self.client.public_key}").stdout)
        self.assertTrue(self.client.addresses[0].startswith("10.77."))
        self.assert_flows()
        sekisho("device remove ana-laptop")
        self.reload(GOOD_CONFIG, "reloaded")
        self.client.use(sekisho(f"device add ana-laptop --person ana --public-key {self.client.public_key}").stdout)
        self.assert_flows()

    def test_another_port(self):
        self.reload(GOOD_CONFIG.replace("listen_port = 51820", "listen_port = 51999"), "reloaded")
        self.assertIn("51999", kernel.wireguard()[0])
        self.assertIn("udp dport 51999", run("nft list table inet sekisho"))
        self.reload(GOOD_CONFIG, "reloaded")
        self.assertIn("51820", kernel.wireguard()[0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
