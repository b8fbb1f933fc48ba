"""One grant changed in a big company: apply.py BIN PAIRS; prints what scripts/bench prints.

Runs in network and mount namespaces of its own (scripts/bench makes them). Ours is from the request
on the control socket to its answer: stored, in the kernel and read back. Theirs is `nft -f` of the
whole table, in a namespace beside ours.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from company import company
from control import Control

PEOPLE, GRANTS_EACH, RESOURCES, DEVICES_EACH = 10_000, 10, 1_000, 2
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


def run(command, **options):
    return subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def milliseconds(work):
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def goal(name, op, limit, value):
    return {"goal": name, "op": op, "limit": limit, "value": round(value, 3),
            "met": value <= limit if op == "<=" else value >= limit}


class Gateway:
    def __init__(self, folder, programs):
        run("mount -t tmpfs bench /run && mkdir /run/wireguard && ip link set lo up")
        self.tunnel = subprocess.Popen(["wireguard-go", "-f", "wg0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.await_(lambda: run("ip -o link show type tun"), "the interface")
        (folder / "sekisho.toml").write_text(CONFIG.format(folder=folder))
        self.log = open(folder / "log", "w", encoding="utf-8")
        self.daemon = subprocess.Popen([programs / "sekishod", "--config", folder / "sekisho.toml"], stderr=self.log)
        self.await_((folder / "run/control.sock").exists, "the control socket")
        self.ask = Control(str(folder / "run/control.sock")).ask

    @staticmethod
    def await_(condition, what):
        deadline = time.monotonic() + 30
        while not condition():
            if time.monotonic() > deadline:
                sys.exit(f"bench: waited in vain for {what}")
            time.sleep(0.05)

    def stop(self):
        for process in self.daemon, self.tunnel:
            process.terminate()
            process.wait()

    def megabytes(self):
        smaps = pathlib.Path(f"/proc/{self.daemon.pid}/smaps_rollup").read_text(encoding="utf-8")
        return int(re.search(r"^Pss: +(\d+) kB", smaps, re.M)[1]) / 1024


def measure(gateway, folder, pairs):
    gateway.ask("policy.apply", reason="bench", syntax="json",
                document=json.dumps(company(PEOPLE, GRANTS_EACH, RESOURCES, DEVICES_EACH)))
    whole = folder / "whole.nft"
    whole.write_text("table inet sekisho\ndelete table inet sekisho\n" + run("nft list table inet sekisho"), encoding="utf-8")
    beside = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    reload = f"nsenter --net=/proc/{beside.pid}/ns/net nft -f {whole}"
    Gateway.await_(lambda: os.readlink(f"/proc/{beside.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "a namespace")
    run(reload)
    rows = []
    for pair in range(pairs):
        person, resource = f"p{pair}", f"r{(pair * 7 + 5) % RESOURCES}"
        add = milliseconds(lambda: gateway.ask("grant.add", id="bench", who=f"person:{person}", resource=resource, reason="bench"))
        theirs = milliseconds(lambda: run(reload))
        remove = milliseconds(lambda: gateway.ask("grant.remove", id="bench", reason="bench"))
        rows.append({"pair": pair, "grant_added_ms": round(add, 3), "grant_removed_ms": round(remove, 3),
                     "nft_reload_ms": round(theirs, 3), "pss_mb": round(gateway.megabytes(), 1)})
    beside.kill()
    beside.wait()
    return rows


def main():
    programs, pairs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        gateway = Gateway(folder, programs)
        try:
            rows = measure(gateway, folder, pairs)
        finally:
            gateway.stop()
    ours = [row[key] for row in rows for key in ("grant_added_ms", "grant_removed_ms")]
    change = statistics.median(ours)
    ratios = [row["nft_reload_ms"] / (row["grant_added_ms"] + row["grant_removed_ms"]) * 2 for row in rows]
    print(json.dumps({"name": "apply", "rows": rows, "spread": {"least": min(ratios), "most": max(ratios)},
                      "goals": [goal("grant_change_ms", "<=", 5, change),
                                goal("grant_change_vs_reload", ">=", 100, statistics.median(ratios)),
                                goal("rss_mb", "<=", 100, max(row["pss_mb"] for row in rows))]}))


if __name__ == "__main__":
    main()
