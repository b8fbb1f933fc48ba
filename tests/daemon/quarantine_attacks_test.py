#!/usr/bin/env python3
"""A quarantined device stays where it is put, whatever is done to it, to the policy or to the gateway.

Each step is done to a device in good standing as well, which must pass afterwards (the control), and the
quarantined one must pass again once it is released: so that nothing but the quarantine kept it off."""

import re
import signal
import unittest

from spaces import Flow, alone, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import CONFIG, ECHO, GRANTED, OK, Client, log_end, result, sekisho, start_wireguard
from quarantined import Device, Ward


class Attacks(Ward, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second_place = Client("second", 9)
        cls.older = result("status")["revision"]

    def attempt(self, what, level, steps, each, target=None):
        """`steps` with each of the two devices, or once."""
        free, held = Device(self.ben, "ben"), Device(self.ana, "ana")
        flows = []
        for device in free, held:
            self.assert_passes(device.client, f"{what}: {device.id} before")
            flows.append(Flow(device.client.host, ECHO[0], GRANTED, 1))
            self.assertTrue(flows[-1].says())
        self.document = sekisho("policy export").stdout
        held.quarantine(level, target)
        self.assertEqual(held.client.public_key in run("wg show wg0 peers"), level == "isolate")
        self.assert_ended(flows[1], what)
        if not each:
            steps(self)
        place = each and steps(self, free) or free.client
        self.assert_passes(place, f"{what}, the control: one in good standing")
        place = each and steps(self, held) or held.client
        self.assert_shut(place, what)
        self.assert_ended(flows[1], what)
        held.release()
        place.reconnect()
        self.assert_passes(place, f"{what}: once released")
        with self.second_place.host:
            run(f"ip link set {self.second_place.interface} down")
        for device in free, held:
            device.remove()
        for flow in flows:
            flow.close()

    def attempt_all(self, attempts, each, target=None):
        for level in "cut", "isolate":
            for what, steps in attempts.items():
                with self.subTest(what, level=level):
                    self.attempt(f"{what}, {level}", level, steps, each, target)
                    print(f"{what}: {level}: nothing passed", flush=True)

    # What is done to a device, and the place that it is tried from then.

    def it_roams(self, device):
        client, link = device.client, f"wan-{device.client.name}"
        address = {"ana": "198.19.2.2", "ben": "198.19.3.2"}[client.name]
        run(f"ip route replace {address}/32 dev {link}")
        with client.host:
            run(f"ip address replace {address}/32 dev eth0")
            run(f"ip route replace $(ip route show default | sed 's/ src .*//') src {address}")
            run(f"wg set {client.interface} listen-port {40000 + Device.count}")
        client.reconnect()
        if device.held is None:
            self.assert_passes(client, "roaming")
            self.assertIn(f"{client.public_key}\t{address}:", run("wg show wg0 endpoints"))
        self.addCleanup(run, f"ip route del {address}/32 dev {link}", check=False)

    def its_configuration_is_cloned(self, device):
        clone = self.second_place
        clone.private_key, clone.public_key = device.client.private_key, device.client.public_key
        clone.use(device.client.profile)
        return clone

    def its_key_is_changed(self, device):
        device.client.new_key()
        sekisho(f"device set {device.id} --public-key {device.client.public_key}")
        device.use()

    def its_addresses_are_changed(self, device):
        number = 1000 + Device.count * 2 + (device.held is None)
        sekisho(f"device set {device.id} --address 10.66.{number // 250}.{number % 250} --address fd66::{number}")
        device.use()

    def it_is_given_to_somebody_else(self, device):
        sekisho(f"device set {device.id} --person carl")
        device.use()

    def it_is_blocked_and_activated(self, device):
        for state in "blocked", "active":
            sekisho(f"device set {device.id} --state {state}")
        device.client.reconnect()

    def its_key_is_enrolled_under_another_name(self, device):
        device.remove()
        device.id += "-again"
        device.enrol(device.person)

    def it_is_removed_and_added_again(self, device):
        device.remove()
        device.client.new_key()
        device.enrol(device.person)

    def its_key_goes_to_another_name_and_changes_there(self, device):
        self.its_key_is_enrolled_under_another_name(device)
        self.its_key_is_changed(device)

    def its_key_is_changed_and_the_old_one_enrolled(self, device):
        old = device.client.private_key, device.client.public_key
        sekisho(f"device set {device.id} --public-key {run('wg genkey | wg pubkey').strip()}")
        device.client.private_key, device.client.public_key = old
        device.former, device.id = device.id, device.id + "-again"
        device.enrol(device.person)

    def its_key_is_changed_and_the_new_one_enrolled(self, device):
        self.its_key_is_changed(device)
        self.its_key_is_enrolled_under_another_name(device)

    def its_key_goes_to_somebody_else(self, device):
        device.remove()
        device.id += "-again"
        device.enrol("carl")

    def its_person_gets_another(self, device):
        device.former, device.id = device.id, device.id + "-again"
        device.client.new_key()
        device.enrol(device.person)

    def its_person_is_granted_more(self, device):
        name = f"more-{device.id}"
        sekisho(f"grant add {name} --who person:{device.person} --resource office --reason more")
        self.addCleanup(sekisho, f"grant remove {name}", expect=None)

    def test_whatever_is_done_to_it(self):
        self.attempt_all({
            "roaming": Attacks.it_roams,
            "its configuration in a second place": Attacks.its_configuration_is_cloned,
            "its key changed": Attacks.its_key_is_changed,
            "its addresses changed": Attacks.its_addresses_are_changed,
            "given to somebody else": Attacks.it_is_given_to_somebody_else,
            "blocked and activated": Attacks.it_is_blocked_and_activated,
            "its key under another name": Attacks.its_key_is_enrolled_under_another_name,
            "removed and added again": Attacks.it_is_removed_and_added_again,
            "its key under another name, and changed there": Attacks.its_key_goes_to_another_name_and_changes_there,
            "its key changed, and the old one under another name": Attacks.its_key_is_changed_and_the_old_one_enrolled,
            "its key changed, and the new one under another name": Attacks.its_key_is_changed_and_the_new_one_enrolled,
            "its key given to somebody else": Attacks.its_key_goes_to_somebody_else,
            "its person granted more": Attacks.its_person_is_granted_more,
        }, each=True)

    def test_whatever_is_done_where_its_person_is_quarantined(self):
        self.attempt_all({
            "given to somebody else": Attacks.it_is_given_to_somebody_else,
            "its key given to somebody else": Attacks.its_key_goes_to_somebody_else,
            "another device of the person": Attacks.its_person_gets_another,
        }, each=True, target="person:ana")

    # What is done to the policy.

    def the_document_of_before_is_applied(self):
        sekisho("policy apply -", input=self.document)

    def a_document_is_imported(self):
        sekisho("policy import -", input="".join(f"""\
[grant.{person}-{Device.count}]
who = "person:{person}"
resource = "office"
reason = "imported"
""" for person in ("ana", "ben")))

    def an_older_revision_returns(self):
        sekisho(f"policy rollback {self.older}")

    def a_trial_returns(self):
        sekisho("policy apply - --confirm 1s", input=self.document.replace('"Office"', '"The office"'))
        wait_until(lambda: "The office" not in sekisho("policy export").stdout, 20, "the trial's end")

    def test_whatever_is_done_to_the_policy(self):
        self.attempt_all({
            "the document of before applied": Attacks.the_document_of_before_is_applied,
            "a document imported": Attacks.a_document_is_imported,
            "an older revision": Attacks.an_older_revision_returns,
            "a trial that returns": Attacks.a_trial_returns,
        }, each=False)

    # What is done to the gateway.

    def the_daemon_restarts(self):
        self.daemon.end()
        self.daemon.start()

    def the_daemon_is_killed(self):
        self.daemon.end(signal.SIGKILL)
        self.daemon.start()

    def the_daemon_is_killed_and_the_rules_flushed(self):
        self.daemon.end(signal.SIGKILL)
        run("nft flush ruleset")
        self.daemon.start()

    def another_configuration_is_read(self):
        mtu = next(value for value in (1400, 1410) if f"mtu = {value}" not in CONFIG.read_text())
        CONFIG.write_text(re.sub(r"mtu = \d+", f"mtu = {mtu}", CONFIG.read_text()))
        self.daemon.send(signal.SIGHUP)
        wait_until(lambda: f"mtu {mtu} " in run("ip link show wg0"), 10, log_end)

    def the_rules_are_flushed(self):
        run("nft flush ruleset")
        wait_until(lambda: run("nft list table inet sekisho", check=False).count("element"), 10, log_end)

    def the_interface_goes_down_and_up(self):
        run("ip link set wg0 down && ip link set wg0 up")

    def the_interface_vanishes_and_comes_back(self):
        self.daemon.wireguard.kill()
        self.daemon.wireguard.wait()
        wait_until(lambda: self.daemon.answers() != OK, 10, "the daemon to notice")
        self.daemon.wireguard = start_wireguard("wg0")
        self.daemon.wait_enforcing()
        self.ben.reconnect()

    def test_whatever_is_done_to_the_gateway(self):
        self.attempt_all({
            "a restart": Attacks.the_daemon_restarts,
            "kill -9": Attacks.the_daemon_is_killed,
            "kill -9, and the rules flushed": Attacks.the_daemon_is_killed_and_the_rules_flushed,
            "SIGHUP with another configuration": Attacks.another_configuration_is_read,
            "the rules flushed": Attacks.the_rules_are_flushed,
            "the interface down and up": Attacks.the_interface_goes_down_and_up,
            "the interface gone and back": Attacks.the_interface_vanishes_and_comes_back,
        }, each=False)

    # Where a resource is quarantined, nobody reaches it. The control: without the quarantine, what is
    # done is a way to it for one who has no other.

    def twin(self, prefixes, more=""):
        sekisho(f"resource add twin {prefixes} --service https {more}")
        sekisho("grant add twin --who person:ana --resource twin --reason twin")

    def the_same_addresses_have_another_name(self):
        self.twin("--prefix 203.0.113.0/28 --prefix 2001:db8:a::/64", "--classification internal")

    def one_address_has_another_name(self):
        self.twin("--prefix 203.0.113.10/32 --prefix 2001:db8:a::10/128", "--classification internal")

    def a_wider_network_has_another_name(self):
        self.twin("--prefix 203.0.113.0/24 --prefix 2001:db8:a::/48", "--classification internal")

    def it_is_granted_to_another_person(self):
        sekisho("grant add twin --who person:ana --resource office --reason more")

    def test_whatever_is_done_where_a_resource_is_quarantined(self):
        document = sekisho("policy export").stdout
        ana = Device(self.ana, "ana")
        self.assert_passes(ana.client, "before")
        for what, steps in {
            "the same addresses under another name": Attacks.the_same_addresses_have_another_name,
            "one of them under another name": Attacks.one_address_has_another_name,
            "a wider network": Attacks.a_wider_network_has_another_name,
            "another grant": Attacks.it_is_granted_to_another_person,
        }.items():
            for held in False, True:
                with self.subTest(what, held=held):
                    sekisho("grant remove ana-office")
                    self.assert_shut(ana.client, f"{what}: no right left")
                    if held:
                        sekisho("quarantine add resource:office --reason test")
                    steps(self)
                    if held:
                        self.assert_shut(ana.client, what)
                        self.daemon.end(signal.SIGKILL)
                        self.daemon.start()
                        self.assert_shut(ana.client, f"{what}, after kill -9")
                        sekisho("quarantine release resource:office --reason test --finding nothing")
                    self.assert_passes(ana.client, f"{what}: not quarantined")
                    sekisho("policy apply -", input=document_with(document, ana))
                    print(f"{what}, held {held}: as it should", flush=True)
        ana.remove()

    def test_a_trial_that_renames_a_quarantined_resource(self):
        ana = Device(self.ana, "ana")
        document = sekisho("policy export").stdout
        renamed = document.replace("[resource.office]", "[resource.handbook]").replace(
            'resource = "office"', 'resource = "handbook"')
        for ends in "by itself", "by hand":
            for held in False, True:
                with self.subTest(ends, held=held):
                    before = result("status")["revision"]
                    sekisho(f"policy apply - --confirm {'3s' if ends == 'by itself' else '1h'}", input=renamed)
                    if held:
                        sekisho("quarantine add resource:handbook --reason test")
                    if ends == "by hand":
                        sekisho(f"policy rollback {before}")
                    wait_until(lambda: "[resource.office]" in sekisho("policy export").stdout, 20, log_end)
                    if held:
                        self.assert_shut(ana.client, ends)
                        sekisho("quarantine release resource:handbook --reason test --finding nothing")
                    self.assert_passes(ana.client, f"{ends}: not quarantined")
                    sekisho("policy apply -", input=document)
        ana.remove()


def document_with(document, device):
    """The policy of before, and a device that was enrolled since."""
    now = sekisho("policy export").stdout
    table = re.search(rf"^\[device\.{device.id}\]\n(?:(?!\[).*\n)*", now, re.MULTILINE)[0]
    return document + "\n" + table


if __name__ == "__main__":
    unittest.main(verbosity=2)
