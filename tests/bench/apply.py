"""A big company's policy put into the kernel, whole and grant by grant: apply.py BIN PAIRS; prints
what scripts/bench prints.

Everything is timed from outside, beside the same done by `nft -f` in a namespace of its own:
- one grant: from the request on the control socket to its answer (stored, in the kernel, read back)
  against loading the whole anew, as rule generators do;
- all from nothing: somebody deletes the daemon's table, and it is timed from then until the kernel
  holds the whole again. `nft -f` loads the same contents where there is no table either;
- peers: somebody takes 10 000 out of wireguard-go, and it is timed until the daemon has recorded that
  they are back. It is stopped meanwhile, and a change of the link lets it look at once when it goes on.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from company import company
from daemon import Gateway, Host, run, wait_until
from memory import Peak, megabytes
from report import goal, median_goal, tell

PEOPLE, GRANTS_EACH, RESOURCES, DEVICES_EACH = 10_000, 10, 1_000, 2
PEERS = 10_000
SETTLE_S = 1  # the kernel frees a table's elements after nft has ended


def timed(work):
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def apply(gateway, policy):
    gateway.ask("policy.apply", reason="bench", syntax="json", document=json.dumps(policy))


class Beside:
    """The same table, loaded by nft in a namespace of its own."""

    def __init__(self, folder):
        self.host = Host()
        self.whole, self.anew = folder / "whole.nft", folder / "anew.nft"
        text = run("nft -s list table inet sekisho")
        self.whole.write_text(text, encoding="utf-8")
        self.anew.write_text("table inet sekisho\ndelete table inet sekisho\n" + text, encoding="utf-8")

    def load(self):
        with self.host:
            run("nft 'table inet sekisho; delete table inet sekisho'")
            return timed(lambda: run(f"nft -f {self.whole}"))

    def reload(self):
        with self.host:
            return timed(lambda: run(f"nft -f {self.anew}"))


def load_from_nothing(gateway):
    """Until the kernel holds the whole, and until the daemon has read it back and said so."""
    before = gateway.last_record()
    run("nft delete table inet sekisho")
    began = time.perf_counter()
    wait_until(lambda: "sekisho" in run("nft list tables"), 60, "the table", pause=0.002)
    loaded = time.perf_counter() - began
    gateway.repaired(before)
    return loaded, time.perf_counter() - began


def memory_of_all(gateway, folder, policy):
    """While the command line applies the whole company, then a grant changes and all is loaded anew, at
    rest, and while the daemon starts from its disk."""
    document = folder / "company.json"
    document.write_text(json.dumps(policy), encoding="utf-8")
    command = [gateway.programs / "sekisho", "--socket", folder / "run/control.sock", "policy", "apply", document]
    typed = subprocess.Popen([*command, "--syntax", "json", "--reason", "bench"], stdout=subprocess.DEVNULL)
    row = {}
    with Peak(lambda: [typed.pid, gateway.daemon.pid]) as peak:
        if typed.wait() != 0:
            sys.exit("bench: the policy was not applied")
        row["applying_mb"] = peak.take()
        change_grant(gateway, 0)
        load_from_nothing(gateway)
        row["running_mb"] = peak.take()
        time.sleep(10)  # a look at everything comes between
        row["at_rest_mb"] = round(megabytes([gateway.daemon.pid]), 1)
        gateway.daemon.terminate()
        gateway.daemon.wait()
        peak.take()
        gateway.start()
        row["starting_mb"] = peak.take()
    return row


def change_grant(gateway, number):
    """One added and taken back, in seconds each."""
    resource = f"r{(number * 7 + 5) % RESOURCES}"
    add = timed(lambda: gateway.ask("grant.add", id="bench", who=f"person:p{number}", resource=resource, reason="bench"))
    return add, timed(lambda: gateway.ask("grant.remove", id="bench", reason="bench"))


def put_peers_back(gateway, number):
    before = gateway.last_record()
    gateway.daemon.send_signal(signal.SIGSTOP)
    run(f"wg setconf wg0 /dev/null && ip link set wg0 txqueuelen {1000 + number}")
    began = time.perf_counter()
    gateway.daemon.send_signal(signal.SIGCONT)
    gateway.repaired(before)
    took = time.perf_counter() - began
    if run("wg show wg0 peers").count("\n") != PEERS:
        sys.exit("bench: not all peers are back")
    return took


def measure_policy(gateway, folder, pairs):
    memory = memory_of_all(gateway, folder, company(PEOPLE, GRANTS_EACH, RESOURCES, DEVICES_EACH))
    beside = Beside(folder)
    rows = []
    for pair in range(pairs):
        reload = beside.reload()
        time.sleep(SETTLE_S)
        add, remove = change_grant(gateway, pair)
        rows.append({"pair": pair, "grant_added_ms": round(add * 1000, 3), "grant_removed_ms": round(remove * 1000, 3),
                     "nft_reload_s": round(reload, 3)})
    for row in rows:
        theirs = beside.load()
        time.sleep(SETTLE_S)
        loaded, repaired = load_from_nothing(gateway)
        row |= {"nft_load_s": round(theirs, 3), "loaded_s": round(loaded, 3), "repaired_s": round(repaired, 3)}
    return memory, rows


def in_gateway(folder, programs, work):
    gateway = Gateway(folder, programs)
    try:
        return work(gateway)
    finally:
        gateway.stop()


def measure(folder, programs, pairs):
    memory, rows = in_gateway(folder / "policy", programs, lambda gateway: measure_policy(gateway, folder / "policy", pairs))

    def peers(gateway):
        apply(gateway, company(PEERS // DEVICES_EACH, 0, 0, DEVICES_EACH))
        for row in rows:
            row["peers_s"] = round(put_peers_back(gateway, row["pair"]), 3)

    in_gateway(folder / "peers", programs, peers)
    return memory, rows


def main():
    programs, pairs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    run("mount -t tmpfs bench /run && ip link set lo up")
    with tempfile.TemporaryDirectory() as name:
        memory, rows = measure(pathlib.Path(name), programs, pairs)
    pair_rows, rows = rows, [memory, *rows]
    changes = [row[key] for row in pair_rows for key in ("grant_added_ms", "grant_removed_ms")]
    reloads = [row["nft_reload_s"] * 2000 / (row["grant_added_ms"] + row["grant_removed_ms"]) for row in pair_rows]
    loads = [row["loaded_s"] / row["nft_load_s"] for row in pair_rows]
    tell("apply", rows,
         [median_goal(rows, "grant_change_ms", "<=", 5, changes),
          median_goal(rows, "grant_change_vs_reload", ">=", 100, reloads),
          median_goal(rows, "full_load_s", "<=", 1, [row["loaded_s"] for row in pair_rows]),
          median_goal(rows, "full_load_vs_nft", "<=", 1, loads),
          goal("rss_mb", "<=", 100, max(memory.values())),
          median_goal(rows, "peers_10k_s", "<=", 2, [row["peers_s"] for row in pair_rows])])


if __name__ == "__main__":
    main()
