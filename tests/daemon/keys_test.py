#!/usr/bin/env python3
"""Device keys: the gateway is given public keys; a private key made on request is kept nowhere."""

import pathlib
import re
import unittest

from spaces import alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import ECHO, FAILURE, GRANTED, LOG, STATE, World, records, result, sekisho


def key():
    return run("wg genkey | wg pubkey").strip()


def field(profile, name):
    found = re.search(rf"^{name} = (.+)$", profile, re.M)
    return found and found[1]


def everywhere_kept():
    """All that the daemon wrote, as bytes: state with its journal, log, record, and its memory's files."""
    kept = LOG.read_bytes() + sekisho("--json audit list --limit 1000").stdout.encode()
    for path in pathlib.Path(STATE).rglob("*"):
        kept += path.read_bytes()
    return kept


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(clients=["ana"])
        cls.client, = cls.world.clients

    def assert_kept_nowhere(self, private_key):
        kept = everywhere_kept()
        raw = run(f"echo {private_key} | base64 -d | xxd -p -c 64").strip()
        self.assertNotIn(private_key.encode(), kept)
        self.assertNotIn(bytes.fromhex(raw), kept)
        self.assertNotIn(raw.encode(), kept)

    def test_a_public_key_alone_is_sent_and_the_profile_has_no_private_key(self):
        public = key()
        for profile in [sekisho(f"device add ana-a --person ana --public-key {public}").stdout,
                        sekisho("device profile ana-a").stdout, result("device profile ana-a")["profile"]]:
            self.assertIsNone(field(profile, "PrivateKey"))
            self.assertEqual(field(profile, "PublicKey"), run("wg show wg0 public-key").strip())
            self.assertIsNotNone(field(profile, "PresharedKey"))
            self.assertEqual(field(profile, "AllowedIPs").replace(" ", ""), "0.0.0.0/0,::/0")
        self.assertEqual(records("device.add")[0]["reason"], None)
        for shown in sekisho("device show ana-a").stdout, sekisho("--json device list").stdout, sekisho("policy export").stdout:
            self.assertNotIn(field(profile, "PresharedKey"), shown)

    def test_a_key_made_here_is_shown_once_and_kept_nowhere(self):
        shown = sekisho("device add ana-b --person ana --make-key-here --reason 'cannot make one'").stdout
        private = field(shown, "PrivateKey")
        self.assertEqual(shown.count(private), 1)
        self.assertIn("shown once", shown)
        self.assertGreater(sum(line.startswith("\033[30;107m") for line in shown.splitlines()), 20)  # the QR code
        self.assertEqual(run(f"echo {private} | wg pubkey").strip(), result("device show ana-b")["public_key"])
        self.assertEqual(records("device.add")[0]["reason"], "key made at gateway; cannot make one")
        self.assert_kept_nowhere(private)
        # The control: what is looked through would show a key that is kept.
        self.assertIn(result("device show ana-b")["public_key"].encode(), everywhere_kept())
        self.assertIsNone(field(sekisho("device profile ana-b").stdout, "PrivateKey"))

    def test_the_profile_of_a_key_made_here_works_as_it_is(self):
        answer = result("device add ana-c --person ana --make-key-here")
        private = field(answer["profile"], "PrivateKey")
        self.client.private_key = private
        self.client.use(answer["profile"].replace(f"PrivateKey = {private}\n", ""))
        wait_until(lambda: attempt(self.client.host, ECHO[0], GRANTED, 2) == "passes", 20, "traffic")
        self.assert_kept_nowhere(private)

    def test_refused_nothing_is_shown(self):
        done = sekisho("device add ana-laptop --person ana --make-key-here", 5)
        self.assertNotIn("PrivateKey", done.stdout + done.stderr)

    def test_a_key_that_is_none_of_a_device_is_refused(self):
        peers = sorted(run("wg show wg0 peers").split())
        for key_of, told in [("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "a point of low order"),
                             ("4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=", "a point of low order"),
                             (run("wg show wg0 public-key").strip(), "gateway")]:
            for words in f"device add low --person ana --public-key {key_of}", f"device set ana-laptop --public-key {key_of}":
                done = sekisho(words, None)
                self.assertEqual(done.returncode, FAILURE, (words, done.stdout, done.stderr))
                self.assertIn(told, done.stderr)
            self.assertEqual(sorted(run("wg show wg0 peers").split()), peers)

    def test_each_device_has_its_own_preshared_key(self):
        keys = set()
        for number in range(5):
            profile = sekisho(f"device add ana-p{number} --person ana --public-key {key()}").stdout
            keys.add(field(profile, "PresharedKey"))
        self.assertEqual(len(keys), 5)
        held = {line.split("\t")[1] for line in run("wg show wg0 preshared-keys").splitlines()}
        self.assertLessEqual(keys, held)
        self.assertNotIn("(none)", held)
        # The control: with another one there is no tunnel.
        profile = sekisho("device profile ana-p0").stdout
        self.client.new_key()
        sekisho(f"device set ana-p0 --public-key {self.client.public_key}")
        self.client.use(sekisho("device profile ana-p0").stdout.replace(
            field(sekisho("device profile ana-p0").stdout, "PresharedKey"), field(profile, "PresharedKey")))
        self.assertNotEqual(attempt(self.client.host, ECHO[0], GRANTED, 2), "passes")
        self.client.use(sekisho("device profile ana-p0").stdout)
        wait_until(lambda: attempt(self.client.host, ECHO[0], GRANTED, 2) == "passes", 20, "traffic")

    def test_tunnel_addresses_are_never_used_again(self):
        seen = set()
        for number in range(6):
            sekisho(f"device add ana-r{number} --person ana --public-key {key()}")
            addresses = set(result(f"device show ana-r{number}")["addresses"])
            self.assertEqual(seen & addresses, set())
            seen |= addresses
            sekisho(f"device remove ana-r{number}")
            if number == 3:
                self.world.daemon.end(9)
                self.world.daemon.start()
        taken = sorted(seen)[0]
        self.assertIn(taken, sekisho(f"device add thief --person ana --public-key {key()} --address {taken}", None).stderr)
        # What the ledger refused stands in nobody's way.
        sekisho("role add after-the-thief")


if __name__ == "__main__":
    unittest.main(verbosity=2)
