"""What holds beside another firewall, whichever it is: the tests of ufw, firewalld and Docker.

The neighbour is the real one of Debian's package, in the test's own namespaces and with its own copy of
its files. It is there first."""

import contextlib
import signal
import socket
import subprocess
import threading
import time

from gateway import ECHO, GRANTED, OK, OTHER, World, log_end, result, sekisho
from spaces import RUN, Stream, attempt, run, wait_until

OURS = "table inet sekisho"


def own_files():
    """What the neighbour writes outside /run ends with the test."""
    copy = RUN / "etc"
    run(f"cp -a /etc {copy} && mount --bind {copy} /etc && mount -t tmpfs tmpfs /opt && mount -t tmpfs tmpfs /var/log")


def started(command, log):
    with (RUN / log).open("a") as file:
        return subprocess.Popen(command, shell=True, executable="/bin/bash", stdout=file, stderr=file)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def theirs():
    """Every table but ours, without what is counted, in nft's words and in those of iptables."""
    tables = [line for line in run("nft list tables 2>/dev/null").splitlines() if line != OURS]
    text = "\n".join(run(f"nft -s list {table} 2>/dev/null") for table in tables)
    saved = run("iptables-save; ip6tables-save")
    return text + "\n".join(line.split(" [")[0] for line in saved.splitlines() if not line.startswith("#"))


def take_back(insertion):
    """Deletes the rule that `nft insert rule FAMILY TABLE CHAIN RULE` made, where it is still there."""
    family, table, chain, rule = insertion.split(maxsplit=6)[3:]
    for line in run(f"nft -a list chain {family} {table} {chain} 2>/dev/null").splitlines():
        if line.strip().split(" # handle ")[0] == rule:
            run(f"nft delete rule {family} {table} {chain} handle {line.split()[-1]}")


def remove_us():
    """As an administrator takes the gateway off a box, but for its tunnel, which now is any other network."""
    run("nft delete table inet sekisho")
    for version, pool in ("-4", "10.66.0.0/16"), ("-6", "fd66::/64"):
        run(f"ip {version} rule add priority 0 lookup local")
        for priority in 10, 11, 12, 20:
            run(f"ip {version} rule delete priority {priority}")
        run(f"ip {version} route flush table all proto 94; ip {version} route replace {pool} dev wg0")


class Flood(threading.Thread):
    """A device tries what policy refuses, over and over; what of it reaches the server."""

    def __init__(self, client, server):
        super().__init__(daemon=True)
        self.sent, self.ending = 0, False
        with server:
            self.ears = [socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)]
        with client:
            self.mouths = [socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)]
        for ear, address in zip(self.ears, ECHO):
            ear.bind((address, OTHER))
            ear.setblocking(False)
        self.counts = [0, 0]
        self.start()

    def run(self):
        while not self.ending:
            for mouth, address in zip(self.mouths, ECHO):
                with contextlib.suppress(OSError):  # a refusal that came back
                    mouth.sendto(b"let me through", (address, OTHER))
                    self.sent += 1
            time.sleep(0.001)

    def end(self):
        """How many arrived over IPv4, and over IPv6."""
        self.ending = True
        self.join()
        time.sleep(0.3)
        for number, ear in enumerate(self.ears):
            with contextlib.suppress(BlockingIOError):
                while ear.recv(100):
                    self.counts[number] += 1
        for one in self.ears + self.mouths:
            one.close()
        return self.counts


class Beside:
    """Mixed into a TestCase. The neighbour says how it is started, which of its chains drop what they do
    not know, how its own words let the tunnel by for good, and how it loads its rules anew."""

    drops = []  # (family, table, chain)
    lasting = []  # commands
    let_by = []  # of `drops`: where doctor sees that the tunnel is let by so; elsewhere something may be lost

    @classmethod
    def start_neighbour(cls):
        raise NotImplementedError

    def reload_neighbour(self):
        """Each way it has."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        own_files()
        cls.start_neighbour()
        cls.before_us = theirs()
        cls.world = World()
        cls.client = cls.world.clients[0]
        cls.after_us = theirs()

    def passes(self, seconds=40):
        for address in ECHO:
            wait_until(lambda: attempt(self.client.host, address, GRANTED, 2) == "passes", seconds,
                       lambda: f"traffic to {address}; {self.others()}\n{theirs()}\nlog:\n{log_end()}")

    def others(self):
        found = result("doctor", expect=None)["findings"]
        return next(one for one in found if one["subject"] == "other firewalls")

    def lost(self):
        return any(attempt(self.client.host, address, GRANTED, 1) != "passes" for address in ECHO)

    def refused(self):
        """What policy refuses does not pass, at whatever moment."""
        for address in ECHO:
            self.assertNotEqual(attempt(self.client.host, address, OTHER, 1), "passes")

    def test_1_we_touch_nothing_of_theirs(self):
        self.assertEqual(self.after_us, self.before_us)
        self.assertEqual(sekisho("--quiet status").returncode, OK)

    def test_2_doctor_names_who_drops_staff_traffic_and_what_mends_it(self):
        self.assertTrue(self.lost())
        found = self.others()
        self.assertFalse(found["good"], found)
        for family, table, chain in self.drops:
            self.assertIn(f"table {family} {table}, chain {chain} drops", found["finding"])
        mends = found["mend"].split("; ")
        for command in mends:
            run(command)
        self.assertTrue(self.others()["good"], self.others())
        self.client.reconnect()
        self.passes()
        self.refused()
        # Their reload keeps the rules that doctor named, or takes them, and then doctor says so again.
        self.reload_neighbour()
        self.refused()
        wait_until(lambda: self.others() == found or not self.lost(), 40, self.others)
        for command in mends:
            take_back(command)
        self.assertNotIn("wg0", theirs())

    def test_3_in_their_words_it_lasts_and_a_reload_opens_and_takes_nothing(self):
        self.assertTrue(self.lost())  # the control
        for command in self.lasting:
            run(command)
        self.client.reconnect()
        self.passes()
        streams = [Stream(self.client.host, address, GRANTED, timeout=60) for address in ECHO]
        flood = Flood(self.client.host, self.world.server)
        self.reload_neighbour()
        wait_until(lambda: flood.sent > 200, 20, "the flood")
        self.assertEqual(flood.end(), [0, 0], f"arrived, of {flood.sent}")
        print(f"{flood.sent} forbidden packets during reloads: none arrived", flush=True)
        rounds = [stream.rounds for stream in streams]
        wait_until(lambda: all(s.failure or s.rounds > r for s, r in zip(streams, rounds)), 60, "the streams")
        for stream in streams:
            stream.stop()
        self.assertEqual([stream.failure for stream in streams], [None, None])
        print("longest round trip during reloads:", [f"{stream.longest:.3f} s" for stream in streams], flush=True)
        self.passes()
        self.refused()
        for family, table, chain in self.let_by:
            self.assertNotIn(f"table {family} {table}, chain {chain} ", self.others()["finding"])
        self.assertEqual(sekisho("--quiet status").returncode, OK)

    def test_4_removing_us_leaves_theirs(self):
        before = theirs()
        self.world.daemon.end()
        remove_us()
        self.assertEqual(theirs(), before)
        self.assertNotIn(OURS, run("nft list tables"))
        # The control of what a reload opens: without our rules it arrives.
        flood = Flood(self.client.host, self.world.server)
        self.reload_neighbour()
        wait_until(lambda: flood.sent > 200, 20, "the flood")
        arrived = flood.end()
        self.assertGreater(min(arrived), 0, arrived)
