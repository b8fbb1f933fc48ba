#!/usr/bin/env python3
"""What is done by hand for a quarantined device is undone, and the addresses of others are no way out.

The control of each: with the daemon stopped, so that nobody undoes it, it passes."""

import re
import signal
import unittest

from spaces import Flow, alone, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import ECHO, GRANTED, log_end
from https import fetch
from quarantined import Device, Ward


def host_of(address):
    return address.split("/")[0]


class Hands(Ward, unittest.TestCase):
    def with_the_daemon_stopped(self, *commands):
        self.daemon.send(signal.SIGSTOP)
        for command in commands:
            run(command)

    def assert_repaired(self, flow):
        """The daemon goes on, and within two seconds nothing passes any more."""
        self.daemon.send(signal.SIGCONT)
        def ended():
            try:
                return not flow.says()
            except OSError:
                return True
        print(f"repaired after {wait_until(ended, 2, log_end):.3f} s", flush=True)

    def test_what_is_opened_by_hand_is_closed_again(self):
        for level in "cut", "isolate":
            free, held = Device(self.ben, "ben"), Device(self.ana, "ana")
            cohort = re.search(rf"{host_of(free.client.addresses[0])} : (0x\w+)",
                               run("nft list map inet sekisho cohort4"))[1]
            held.quarantine(level)
            self.assert_shut(held.client, level)
            preshared = re.search("PresharedKey = (.+)", held.client.profile)[1]
            opened = [f"wg set wg0 peer {held.client.public_key} preshared-key <(echo {preshared}) "
                      f"allowed-ips {','.join(held.client.addresses)}"]
            for number, address in zip((4, 6), map(host_of, held.client.addresses)):
                removed = f"delete element inet sekisho cohort{number} {{ {address} }}; " if level == "isolate" else ""
                opened.append(f"nft '{removed}add element inet sekisho cohort{number} {{ {address} : {cohort} }}'")
            # The control: with nobody to repair it, it passes.
            self.with_the_daemon_stopped(*opened)
            held.client.reconnect()
            self.assert_passes(held.client, "opened by hand")
            self.assert_repaired(Flow(held.client.host, ECHO[0], GRANTED, 1))
            self.assert_shut(held.client, level)
            held.release()
            for device in free, held:
                device.remove()

    # Addresses of others: what they are for is WireGuard's to say.

    def assert_no_answer_as(self, client, addresses, what):
        heard = self.server.accepted
        for source, address in zip(addresses, ECHO):
            self.assertFalse(fetch(client.host, address, self.server, host_of(source)), what)
        self.assertEqual(self.server.accepted, heard, what)

    def answers_as(self, client, addresses):
        return all(fetch(client.host, address, self.server, host_of(source))
                   for source, address in zip(addresses, ECHO))

    def also_at(self, client, addresses):
        with client.host:
            for address in addresses:
                run(f"ip address replace {address} dev {client.interface} nodad")

    def test_anothers_address_in_its_own_tunnel(self):
        free, held = Device(self.ben, "ben"), Device(self.ana, "ana")
        theirs = free.client.addresses
        held.quarantine("isolate")
        held.client.reconnect()
        self.also_at(held.client, theirs)
        self.assert_no_answer_as(held.client, theirs, "another's address")
        # The control: where WireGuard lets it, it passes.
        self.with_the_daemon_stopped(
            f"wg set wg0 peer {held.client.public_key} allowed-ips {','.join(held.client.addresses + theirs)}")
        wait_until(lambda: self.answers_as(held.client, theirs), 20, "another's address, by hand")
        self.assert_repaired(Flow(held.client.host, ECHO[0], GRANTED, 1, source=host_of(theirs[0])))
        self.assert_no_answer_as(held.client, theirs, "another's address, repaired")
        self.assert_passes(free.client, "whose address it is")
        held.release()
        for device in free, held:
            device.remove()

    def test_its_own_address_in_anothers_tunnel(self):
        for level in "cut", "isolate":
            free, held = Device(self.ben, "ben"), Device(self.ana, "ana")
            own = held.client.addresses
            held.quarantine(level)
            # The laptop has the other device's key, and so its rights, at its addresses alone.
            laptop = held.client
            kept, laptop.private_key = laptop.private_key, free.client.private_key
            laptop.use(free.client.profile)
            self.assert_passes(laptop, "another device's key")
            self.also_at(laptop, own)
            self.assert_no_answer_as(laptop, own, f"its own address, {level}")
            # The control: released, and where WireGuard lets it.
            held.release()
            self.assert_no_answer_as(laptop, own, "its own address, released")
            self.with_the_daemon_stopped(
                f"wg set wg0 peer {free.client.public_key} allowed-ips {','.join(free.client.addresses + own)}")
            wait_until(lambda: self.answers_as(laptop, own), 20, "its own address, by hand")
            self.assert_repaired(Flow(laptop.host, ECHO[0], GRANTED, 1, source=host_of(own[0])))
            laptop.private_key = kept
            for device in free, held:
                device.remove()

if __name__ == "__main__":
    unittest.main(verbosity=2)
