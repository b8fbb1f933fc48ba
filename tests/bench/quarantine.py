"""How long somebody who was cut off still gets packets through: quarantine.py BIN PAIRS; prints what
scripts/bench prints.

A gateway with 10 000 devices and a real tunnel. The victim, a device of a person, keeps 1 000 flows alive (TCP and
UDP, both families, bulk both ways and idle); two other devices flood at half of what went through just before.
A trial begins when the command is written to the control socket and ends with the victim's last packet at the
interface it leaves by: `office` for what it sends, `wg0` for what it is sent, by the kernel's time stamps.

Theirs, with the same flows and flood: the rules that gateways begin with and the peer removed (as `wg set` does, by the
same socket, without starting a program), and a rule per grant loaded anew without the victim's, followed by `conntrack -D`.
With the peer gone wireguard-go takes nothing more from the victim, but the kernel goes on handing it what is sent there.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import baselines
from company import company
from daemon import Gateway, Host, run, wait_until
from report import goal, tell

sys.path.append(str(pathlib.Path(__file__).parents[1] / "daemon"))

PEOPLE, GRANTS_EACH, RESOURCES = 9_997, 10, 1_000
FLOWS = 1_000
PORT, FLOOD_PORT = 7000, 7001
SERVER, SINK = ["203.0.113.10", "2001:db8:a::10"], "198.51.100.10"
WINDOW_S = 0.4      # how long a trial is watched after the answer
THEIR_WINDOW_S = 3  # and theirs; what goes on longer counts as about this long
PAIRS = 5
TRIALS = int(os.environ.get("TRIALS", "100"))

POLICY = {
    "resource": {
        "office": {"name": "Office", "classification": "internal", "prefixes": [f"{a}/{32 if '.' in a else 128}" for a in SERVER],
                   "services": [{"service": f"{protocol}:{PORT}", "reason": "bench"} for protocol in ("tcp", "udp")]},
        "sink": {"name": "Sink", "classification": "internal", "prefixes": [f"{SINK}/32"],
                 "services": [{"service": f"udp:{FLOOD_PORT}", "reason": "bench"}]}},
    "grant": {f"{who}-{what}": {"who": f"person:{who}", "resource": what, "reason": "bench"}
              for who, what in (("victim", "office"), ("flood0", "sink"), ("flood1", "sink"))}}


class Program:
    """bench_flows, asked by lines."""

    def __init__(self, programs, host, *words):
        with host or contextlib.nullcontext():
            self.process = subprocess.Popen([programs / "bench_flows", *map(str, words)], text=True,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("bench_flows ended")
        return json.loads(line)

    def ask(self, line):
        self.tell(line)
        return self.hear()


class Device:
    """A staff device with wireguard-go and the profile that the gateway gives it."""

    def __init__(self, name, number):
        self.name, self.interface = name, f"wg-{name}"
        self.host = Host()
        self.host.connect(f"wan-{name}", "eth0", [f"198.18.{number}.1/30"], [f"198.18.{number}.2/30"])
        self.private, self.public = (text.strip() for text in run("k=$(wg genkey); echo $k; echo $k | wg pubkey").split())
        self.addresses = [f"10.67.255.{number + 1}", f"fd66::ffff:{number + 1:x}"]
        with self.host:
            run(f"ip route add default via 198.18.{number}.1")
            subprocess.Popen(["wireguard-go", "-f", self.interface], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(pathlib.Path(f"/run/wireguard/{self.interface}.sock").exists, 30, "wireguard-go")

    def use(self, gateway):
        """Anew from the profile: the session too."""
        profile = gateway.ask("device.profile", id=self.name)["profile"]
        plain = "\n".join(line for line in profile.splitlines() if not line.startswith(("Address", "DNS", "MTU", "#")))
        with self.host:
            subprocess.run(["wg", "setconf", self.interface, "/dev/stdin"], text=True, check=True,
                           input=plain.replace("[Interface]", f"[Interface]\nPrivateKey = {self.private}"))
            for address in self.addresses:
                run(f"ip address replace {address} dev {self.interface}" + (" nodad" if ":" in address else ""))
            run(f"ip link set {self.interface} up mtu 1420")
            for network in "203.0.113.0/24", "198.51.100.0/24", "10.64.0.1/32":
                run(f"ip route replace {network} dev {self.interface}")
            run(f"ip -6 route replace 2001:db8:a::/64 dev {self.interface}")


class Scene:
    def __init__(self, folder, programs):
        run("ip address add 192.0.2.1/32 dev lo")
        self.gateway = Gateway(folder, programs)
        self.office, self.sink = Host(), Host()
        self.office.connect("office", "eth0", ["203.0.113.1/24", "2001:db8:a::1/64"], [f"{SERVER[0]}/24", f"{SERVER[1]}/64"])
        self.sink.connect("sink", "eth0", ["198.51.100.1/24"], [f"{SINK}/24"])
        self.victim = Device("victim", 1)
        self.others = [Device(f"flood{i}", i + 2) for i in range(2)]
        self.grants = company(PEOPLE, GRANTS_EACH, RESOURCES)
        policy = json.loads(json.dumps(self.grants))
        for kind, objects in POLICY.items():
            policy[kind] |= objects
        for device in [self.victim, *self.others]:
            policy["person"][device.name] = {"name": device.name}
            policy["device"][device.name] = {"person": device.name, "public_key": device.public, "addresses": device.addresses}
        self.gateway.ask("policy.apply", reason="bench", syntax="json", document=json.dumps(policy))
        for device in [self.victim, *self.others]:
            device.use(self.gateway)
        Program(programs, self.office, "serve", PORT)
        with self.sink:
            self.counter = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # so that nobody is told that nobody listens
            self.counter.bind((SINK, FLOOD_PORT))
            self.counter.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.flows = Program(programs, self.victim.host, "flows", PORT, *SERVER)
        self.floods = [Program(programs, device.host, "flood", SINK, FLOOD_PORT) for device in self.others]
        self.eye = Program(programs, None, "watch", "office", "wg0")
        self.eye.hear()

    def passed_to_sink(self):
        return json.loads(run("ip -s -j link show dev sink"))[0]["stats64"]["tx"]["packets"]

    def capacity(self):
        """Packets a second of the others that come through, all they can."""
        for flood in self.floods:
            flood.tell("rate -1")
        time.sleep(1)
        before, began = self.passed_to_sink(), time.monotonic()
        time.sleep(3)
        rate = (self.passed_to_sink() - before) / (time.monotonic() - began)
        self.flood(0)
        return rate

    def flood(self, rate):
        for flood in self.floods:
            flood.tell(f"rate {int(rate / len(self.floods))}")

    def open_flows(self):
        # A gateway under load answers a handshake with a cookie, and the device tries again after 5 s.
        with self.victim.host:
            wait_until(lambda: " 0% packet loss" in run("ping -c 1 -W 1 10.64.0.1", check=False), 60, "the tunnel")
        for _ in range(5):
            living = self.flows.ask(f"open {FLOWS}")["living"]
            if living == FLOWS:
                return
            print(f"  {living} of {FLOWS} flows live, again", file=sys.stderr)
        sys.exit(f"bench: only {living} of {FLOWS} flows live")

    def seen_after(self, moment):
        return self.eye.ask(f"after {moment}")


def milliseconds(begin, end):
    return max(0.0, (end - begin) / 1e6)


def check(seen):
    for name, each in seen.items():
        if each["packets"] == 0 or each["lost"]:
            sys.exit(f"bench: at {name} {each['packets']} packets were seen and {each['lost']} lost")


def moment_of(text):
    whole, thousandths = text.rstrip("Z").split(".")
    return (int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))) - time.timezone) * 10**9 + int(thousandths) * 10**6


def cut(scene, target, level, number):
    """One trial of ours."""
    scene.open_flows()
    scene.eye.ask("begin")
    time.sleep(0.4 + (number * 37 % 100) / 250)  # at whatever the daemon is doing
    began = time.time_ns()
    answer = scene.gateway.ask("quarantine.add", target=target, reason="bench", **({"level": level} if level else {}))
    answered = time.time_ns()
    time.sleep(WINDOW_S)
    seen = scene.seen_after(answered)
    check(seen)
    last = max(each["last"] for each in seen.values())
    row = {"target": target.split(":")[0], "level": level, "leak_ms": round(milliseconds(began, last), 3),
           "answer_ms": round(milliseconds(began, answered), 3), "after_ack": sum(each["after"] for each in seen.values()),
           "proof_ms": answer["proof"]["milliseconds"], "purged": answer["proof"]["purged"]}
    # The proof may say no earlier time than the last packet's; packets are stamped as they leave, behind queues.
    row["after_proof_ms"] = round(milliseconds(moment_of(answer["proof"]["last_packet_before"]), last), 3)
    if row["leak_ms"] > 50:
        # What the gateway was about instead.
        print(f"  log: {(scene.gateway.folder / 'log').read_text()[-400:]}\n  records:"
              f" {[(r['time'], r['operation'], r['before'] if r['operation'] in ('drift', 'enforcement') else '', r['result']) for r in scene.gateway.ask('audit.list', limit=4)]}", file=sys.stderr)
    scene.gateway.ask("quarantine.release", target=target, reason="bench", finding="bench")
    if level == "cut":
        time.sleep(0.1)
        scene.victim.use(scene.gateway)
        if target == "everyone":
            for device in scene.others:
                device.use(scene.gateway)
    return row


def their_leak(scene, began):
    time.sleep(THEIR_WINDOW_S)
    last = max(each["last"] for each in scene.seen_after(began).values())
    return milliseconds(began, last)


def with_rules(scene, rules, act):
    """Others' rules in the place of ours, and no daemon."""
    scene.gateway.kill()
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        scene.open_flows()
        scene.eye.ask("begin")
        time.sleep(0.4)
        return act()
    finally:
        run("nft delete table inet baseline; conntrack -D -s " + scene.victim.addresses[0] + " >/dev/null 2>&1;"
            " conntrack -D -f ipv6 -s " + scene.victim.addresses[1] + " >/dev/null 2>&1; true")
        scene.gateway.start()
        scene.victim.use(scene.gateway)


BOTH_FAMILIES = '  ip6 saddr fd66::/64 oifname != "wg0" masquerade\n'


def their_rules(text):
    """For both families and these ports."""
    text = text.replace("ip saddr 10.64.0.0/14 masquerade", "ip saddr 10.64.0.0/14 masquerade\n" + BOTH_FAMILIES)
    return text.replace('iifname "wg0" tcp dport 443 accept', 'iifname "wg0" accept')


def remove_peer(scene):
    control = socket.socket(socket.AF_UNIX)
    control.connect("/run/wireguard/wg0.sock")
    key = run(f"echo {scene.victim.public} | base64 -d | xxd -p -c 64").strip()

    def act():
        began = time.time_ns()
        control.sendall(f"set=1\npublic_key={key}\nremove=true\n\n".encode())
        control.recv(100)
        return their_leak(scene, began)

    return with_rules(scene, their_rules(baselines.minimum([])), act)


def reload(scene, folder):
    grants = [(scene.grants["device"][f"d{grant['who'].split(':p')[1]}-0"]["addresses"][0],
               scene.grants["resource"][grant["resource"]]["prefixes"][0].split("/")[0])
              for grant in list(scene.grants["grant"].values())[:10_000]]
    without = their_rules(baselines.rule_per_grant(grants)).replace("delete table inet sekisho", "delete table inet baseline")
    mine = "\n".join(f'iifname "wg0" ip saddr {device.addresses[0]} accept\niifname "wg0" ip6 saddr {device.addresses[1]} accept'
                     for device in [scene.victim, *scene.others])
    others = "\n".join(f'iifname "wg0" ip saddr {device.addresses[0]} accept' for device in scene.others)
    known = 'ct state established,related accept'
    with_victim = without.replace("delete table inet baseline", "delete table inet sekisho").replace(known, f"{known}\n{mine}")
    anew = folder / "anew.nft"
    anew.write_text(without.replace(known, f"{known}\n{others}"), encoding="utf-8")

    def act():
        began = time.time_ns()
        run(f"nft -f {anew}; conntrack -D -s {scene.victim.addresses[0]} >/dev/null 2>&1;"
            f" conntrack -D -f ipv6 -s {scene.victim.addresses[1]} >/dev/null 2>&1; true")
        return their_leak(scene, began)

    return with_rules(scene, with_victim, act)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(folder, programs):
    scene = Scene(folder, programs)
    rows = [{"devices": PEOPLE + 3, "flows": FLOWS}]
    capacity = scene.capacity()
    rows.append({"capacity_packets_per_s": round(capacity), "flood_packets_per_s": round(capacity / 2)})
    scene.flood(capacity * float(os.environ.get("FLOOD", "0.5")))
    print(f"capacity {capacity:.0f} packets a second, flood at half", file=sys.stderr)
    kinds = [("device:victim", "isolate"), ("person:victim", "isolate"), ("device:victim", "cut"), ("device:victim", "isolate"),
             ("person:victim", "cut")]
    trials = []
    for number in range(TRIALS):
        trials.append({"trial": number} | cut(scene, *kinds[number % len(kinds)], number))
        print(json.dumps(trials[-1]), file=sys.stderr)
    whole = []
    for number in range(max(10, TRIALS // 5)):
        target, level = [("resource:office", None), ("everyone", "isolate"), ("resource:office", None), ("everyone", "cut")][number % 4]
        whole.append({"trial": TRIALS + number} | cut(scene, target, level, number))
        print(json.dumps(whole[-1]), file=sys.stderr)
    pairs = []
    for pair in range(PAIRS):
        ours = cut(scene, "device:victim", "cut", pair)["leak_ms"]
        by_peer, by_reload = remove_peer(scene), reload(scene, folder)
        pairs.append({"pair": pair, "ours_ms": ours, "wg_set_ms": round(by_peer, 3), "reload_ms": round(by_reload, 3)})
        print(json.dumps(pairs[-1]), file=sys.stderr)
    scene.flood(0)
    scene.gateway.stop()

    leaks = [trial["leak_ms"] for trial in trials]
    everything = [trial["leak_ms"] for trial in whole]
    for name, values in ("cut_p99_ms", leaks), ("cut_all_ms", everything), ("answer_ms", [t["answer_ms"] for t in trials]), \
                        ("after_proof_ms", [t["after_proof_ms"] for t in trials + whole]):
        rows.append({"spread": name, "least": min(values), "median": percentile(values, 0.5), "p99": percentile(values, 0.99),
                     "most": max(values), "trials": len(values)})
    # The smallest leak that can be told from none is a packet's distance; less than that counts as that.
    least = 0.1
    ratio = lambda theirs: sorted(max(pair["ours_ms"], least) / max(pair[theirs], least) for pair in pairs)[len(pairs) // 2]
    goals = [goal("cut_p99_ms", "<=", 10, percentile(leaks, 0.99)), goal("cut_all_ms", "<=", 100, percentile(everything, 0.99)),
             goal("packets_after_ack", "<=", 0, sum(trial["after_ack"] for trial in trials + whole)),
             goal("cut_vs_wg_set", "<=", 0.999, ratio("wg_set_ms")), goal("cut_vs_reload", "<=", 0.999, ratio("reload_ms"))]
    return rows + trials + whole + pairs, goals


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        run("mount -t tmpfs tmpfs /run && ip link set lo up")
        tell("quarantine", *measure(pathlib.Path(temporary), pathlib.Path(sys.argv[1])))
