"""The gateway under test: the real sekishod and sekisho, wireguard-go, and clients behind it."""

import json
import os
import pathlib
import shlex
import signal
import socket
import struct
import subprocess

from spaces import RUN, EchoServer, Host, run, wait_until

PROGRAMS = pathlib.Path(os.environ.get("SEKISHO_BIN", pathlib.Path(__file__).parents[2] / "build/release/bin"))
CONFIG = RUN / "sekisho.toml"
STATE = RUN / "state"
SOCKET = RUN / "run/control.sock"
LOG = RUN / "sekishod.log"

OK, FAILURE, USAGE, NOT_FOUND, NOT_PERMITTED, CONFLICT, UNREACHABLE, NO, TAKEN_BACK = range(9)

GOOD_CONFIG = """\
[gateway]
name = "test"
[tunnel]
interface = "wg0"
listen_port = 51820
endpoint = "192.0.2.1:51820"
mtu = 1420
pools = ["10.66.0.0/16", "fd66::/64"]
[network]
public_prefixes = ["198.51.100.0/24"]
[paths]
state = "/run/test/state"
runtime = "/run/test/run"
"""

ECHO = ["203.0.113.10", "2001:db8:a::10"]
GRANTED, OTHER = 7000, 7001  # both answer; the policy opens the first

# Every map and set of policy has an element, one of each with an end.
POLICY = """\
[person.ana]
name = "Ana"
[person.ben]
name = "Ben"
valid_until = 2099-01-01T00:00:00Z
[resource.echo]
name = "Echo"
classification = "internal"
prefixes = ["203.0.113.10/32", "2001:db8:a::10/128"]
services = [{ service = "tcp:7000", reason = "a server that echoes" }]
[resource.web]
name = "Web"
classification = "internal"
prefixes = ["203.0.113.0/28", "2001:db8:a::/64"]
services = ["https"]
[grant.ana-echo]
who = "person:ana"
resource = "echo"
reason = "test"
[grant.ben-echo]
who = "person:ben"
resource = "echo"
reason = "test"
[grant.ana-web]
who = "person:ana"
resource = "web"
reason = "test"
until = 2099-01-01T00:00:00Z
"""


def sekisho(words, expect=OK, user=None, input=None, socket=SOCKET):
    """The command line as typed. `user`: as somebody else than root."""
    command = [PROGRAMS / "sekisho", "--socket", socket, *shlex.split(words)]
    if user:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
    done = subprocess.run(command, text=True, capture_output=True, input=input, timeout=60)
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"sekisho {words}: exit code {done.returncode}, not {expect}\n"
                             f"{done.stdout}{done.stderr}\nlog:\n{log_end()}")
    return done


def result(words, expect=OK, **how):
    """What the command answers, as JSON."""
    answer = json.loads(sekisho("--json " + words, expect, **how).stdout)
    return answer["result"]


def records(operation=None, limit=200):
    """The operation record, newest first."""
    rows = result(f"audit list --limit {limit}")
    return [row for row in rows if operation in (None, row["operation"])]


def log_end(lines=30):
    return "\n".join(LOG.read_text().splitlines()[-lines:]) if LOG.exists() else "none"


def frame(payload):
    return struct.pack(">I", len(payload)) + payload


class Connection:
    """The control socket, spoken by hand."""

    def __init__(self, timeout=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(SOCKET))  # waits for its turn, which one with a timeout would not
        self.socket.settimeout(timeout)

    def ask(self, operation, **parameters):
        self.send(frame(json.dumps({"operation": operation, "parameters": parameters}).encode()))
        return self.reply()

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        length, = struct.unpack(">I", self._read(4))
        return json.loads(self._read(length))

    def _read(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise EOFError("the daemon closed the connection")
            data += more
        return data

    def close(self):
        self.socket.close()


class Daemon:
    """sekishod, and the wireguard-go whose interface it fills."""

    def __init__(self, config=GOOD_CONFIG):
        (RUN / "run").mkdir(exist_ok=True)
        CONFIG.write_text(config)
        self.process = None
        self.wireguard = None

    def make_interface(self):
        self.wireguard = start_wireguard("wg0")

    def start(self, ready=True):
        with LOG.open("a") as log:
            self.process = subprocess.Popen([PROGRAMS / "sekishod", "--config", CONFIG], stderr=log)
        if ready:
            self.wait_enforcing()

    def wait_enforcing(self, seconds=30):
        wait_until(lambda: self.answers() == OK, seconds, lambda: f"an enforcing daemon; log:\n{log_end()}")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"sekishod ended, exit code {self.process.returncode}; log:\n{log_end()}")
        return sekisho("--quiet status", expect=None).returncode

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def start_wireguard(interface):
    run("mkdir -p /run/wireguard")
    process = subprocess.Popen(["wireguard-go", "-f", interface], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    wait_until(lambda: os.path.exists(f"/run/wireguard/{interface}.sock"), 10, "wireguard-go")
    return process


class Client:
    """A staff device: its own key, wireguard-go, and the profile that the gateway issued."""

    def __init__(self, name, number):
        self.name, self.interface = name, f"wg-{name}"
        self.host = Host()
        self.host.connect(f"wan-{name}", "eth0", [f"198.18.{number}.1/30"], [f"198.18.{number}.2/30"])
        self.new_key()
        with self.host:
            run(f"ip route add default via 198.18.{number}.1")
            start_wireguard(self.interface)

    def new_key(self):
        self.private_key = run("wg genkey").strip()
        self.public_key = run(f"echo {self.private_key} | wg pubkey").strip()

    def use(self, profile):
        """Brings the tunnel up as wg-quick would, with routes to what the test reaches."""
        self.profile = profile
        fields = [line.split(" = ", 1) for line in profile.splitlines() if " = " in line]
        plain = "\n".join(line for line in profile.splitlines()
                          if not line.startswith(("Address", "DNS", "MTU", "#")))
        with self.host:
            subprocess.run(["wg", "setconf", self.interface, "/dev/stdin"], text=True, check=True,
                           input=plain.replace("[Interface]", f"[Interface]\nPrivateKey = {self.private_key}"))
            run(f"ip address flush dev {self.interface}")
            for key, value in fields:
                if key == "Address":
                    self.addresses = [one.strip() for one in value.split(",")]
                if key == "MTU":
                    run(f"ip link set {self.interface} mtu {value}")
            for address in self.addresses:
                run(f"ip address add {address} dev {self.interface}" + (" nodad" if ":" in address else ""))
            run(f"ip link set {self.interface} up")
            for network in "203.0.113.0/24", "10.66.0.0/16":
                run(f"ip route replace {network} dev {self.interface}")
            for network in "2001:db8:a::/64", "fd66::/64":
                run(f"ip -6 route replace {network} dev {self.interface}")


    def reconnect(self):
        """Shakes hands anew; a client that its gateway has forgotten notices after 15 s by itself."""
        self.use(self.profile)


class World:
    """The gateway between clients `ana` and `ben` and a server that echoes."""

    def __init__(self, clients=("ana", "ben"), policy=POLICY):
        self.server = Host()
        self.server.connect("office", "eth0", ["203.0.113.1/24", "2001:db8:a::1/64"],
                            ["203.0.113.10/24", "2001:db8:a::10/64"])
        EchoServer(self.server, [GRANTED, OTHER])
        run("ip address add 192.0.2.1/32 dev lo")
        self.daemon = Daemon()
        self.daemon.make_interface()
        self.daemon.start()
        sekisho("policy apply -", input=policy)
        self.clients = [self.add_client(name, number + 1) for number, name in enumerate(clients)]

    def add_client(self, name, number):
        client = Client(name, number)
        client.use(sekisho(f"device add {name}-laptop --person {name} --public-key {client.public_key}").stdout)
        return client
