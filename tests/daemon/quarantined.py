"""Devices that are quarantined, others beside them, and HTTPS in the office to try whether anything passes."""

from gateway import ECHO, World, log_end, sekisho
from https import HttpsServer, fetched
from spaces import wait_until

POLICY = "".join(f"""\
[person.{person}]
name = "{person}"
[grant.{person}-echo]
who = "person:{person}"
resource = "echo"
reason = "test"
[grant.{person}-office]
who = "person:{person}"
resource = "office"
reason = "test"
""" for person in ("ana", "ben", "carl")) + """\
[resource.echo]
name = "Echo"
classification = "internal"
prefixes = ["203.0.113.10/32", "2001:db8:a::10/128"]
services = [{ service = "tcp:7000", reason = "a server that echoes" }]
[resource.office]
name = "Office"
classification = "internal"
prefixes = ["203.0.113.0/28", "2001:db8:a::/64"]
services = ["https"]
"""


class Device:
    """One enrolment of a client."""

    count = 0

    def __init__(self, client, person):
        Device.count += 1
        self.client, self.id = client, f"{person}-{Device.count}"
        self.held = None  # what was quarantined
        self.former = None  # a name that it had, and that is still there
        client.new_key()
        self.enrol(person)

    def enrol(self, person):
        self.person = person
        sekisho(f"device add {self.id} --person {person} --public-key {self.client.public_key}")
        self.use()

    def use(self):
        self.client.use(sekisho(f"device profile {self.id}").stdout)

    def quarantine(self, level, target=None):
        self.held = target or f"device:{self.id}"
        sekisho(f"quarantine add {self.held} --level {level} --reason test")

    def release(self):
        sekisho(f"quarantine release {self.held} --reason test --finding nothing")

    def remove(self):
        for name in filter(None, (self.id, self.former)):
            sekisho(f"device remove {name}")
        self.former = None


class Ward:
    """Mixed into a TestCase: clients of ana and ben, each of whom gets a new device as often as wanted."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(policy=POLICY)
        cls.daemon = cls.world.daemon
        cls.server = HttpsServer(cls.world.server, ECHO)
        cls.ana, cls.ben = cls.world.clients

    def passes(self, client):
        return fetched(client.host, ECHO, self.server) == ECHO

    def assert_passes(self, client, what):
        wait_until(lambda: self.passes(client), 30, lambda: f"{what}; log:\n{log_end()}")

    def assert_shut(self, client, what):
        heard = self.server.accepted
        for _ in range(3):
            client.reconnect()
            self.assertEqual(fetched(client.host, ECHO, self.server), [], what)
        self.assertEqual(self.server.accepted, heard, what)

    def assert_ended(self, flow, what):
        with self.assertRaises(OSError, msg=what):
            flow.says()
