"""The real sekishod with wireguard-go, in the network namespace of the thread that makes it."""

import pathlib
import subprocess
import sys
import time

from control import Control

sys.path.append(str(pathlib.Path(__file__).parents[1] / "daemon"))
from spaces import Host, run, wait_until  # noqa: E402

CONFIG = """[gateway]
name = "bench"
[tunnel]
interface = "wg0"
listen_port = 51820
endpoint = "192.0.2.1:51820"
mtu = 1420
pools = ["10.64.0.0/14", "fd66::/64"]
[paths]
state = "{folder}/state"
runtime = "{folder}/run"
"""


class Gateway:
    def __init__(self, folder, programs):
        folder.mkdir(exist_ok=True)
        self.folder, self.programs = folder, programs
        run("mkdir -p /run/wireguard")
        self.tunnel = subprocess.Popen(["wireguard-go", "-f", "wg0"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        wait_until(pathlib.Path("/run/wireguard/wg0.sock").exists, 30, "wireguard-go")
        (folder / "sekisho.toml").write_text(CONFIG.format(folder=folder))
        self.start()

    def start(self):
        """Returns once it enforces."""
        with open(self.folder / "log", "a", encoding="utf-8") as log:
            # As its unit does: Nice=.
            self.daemon = subprocess.Popen(["nice", "-n", "-10", self.programs / "sekishod", "--config", self.folder / "sekisho.toml"],
                                           stderr=log)
        # It listens before it loads, and answers after it.
        wait_until(self._answers, 30, lambda: f"the daemon: {(self.folder / 'log').read_text()}", pause=0.002)

    def _answers(self):
        try:
            self.ask = Control(str(self.folder / "run/control.sock")).ask
            return self.ask("status") is not None
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def repaired(self, before):
        """Waits until it has made right what somebody broke, `before` being the records until then."""
        while self.last_record() == before:
            time.sleep(0.001)
        if self.last_record()["operation"] != "drift":
            raise AssertionError(f"no repair was recorded but {self.last_record()}")

    def last_record(self):
        return self.ask("audit.list", limit=1)[0]

    def kill(self):
        """The daemon alone, and at once: what it loaded stays."""
        self.daemon.kill()
        self.daemon.wait()

    def stop(self):
        for process in self.daemon, self.tunnel:
            process.terminate()
            process.wait()
