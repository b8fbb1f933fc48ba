"""What a packet costs in our ruleset and in others': ruleset.py BIN PAIRS; prints what scripts/bench prints.

A cost is the CPU time of the thread that sends, and all of it: sending, both veths, routing,
conntrack, rules, address translation. A veth hands a packet on in its sender's time, so that time is
the gateway's too, and what other programs on the machine do is not in it. Nothing is subtracted.
The shapes take turns, slice by slice; every packet must come out on the far side.
"""

import hashlib
import json
import pathlib
import random
import re
import statistics
import sys
import tempfile

import baselines
from bulk import download
from company import company
from crossing import Crossing
from daemon import run
from report import median_goal, tell

PEOPLE, FEW, GRANTS_EACH, RESOURCES = 10_000, 100, 10, 1_000
NETWORKS = "172.16.0.0/14"  # of all resources
SLICES = 10
# Few enough that nobody comes near the limit of live flows (4096 a device), whoever they are from.
FLOWS = {"rule_per_grant": 20}
FLOWS_ELSEWHERE = 2_000
OPEN_FLOWS = 10_000
BULK_CLIENT, BULK_SERVER, BULK_BYTES = "10.64.0.2", "172.16.0.10", 128 << 20  # granted to the first person
SHAPES = "minimum", "rule_per_grant", "chain_per_person", "interval_set"


def granted_pairs(policy):
    """(device, network) of every grant, in an order in which neighbours have nothing in common."""
    pairs = [(policy["device"][f"d{grant['who'].removeprefix('person:p')}-0"]["addresses"][0],
              policy["resource"][grant["resource"]]["prefixes"][0].removesuffix("/24"))
             for grant in policy["grant"].values()]
    random.Random(1).shuffle(pairs)
    return pairs


def make_crossings(folder, programs):
    many, few = company(PEOPLE, GRANTS_EACH, RESOURCES), company(FEW, GRANTS_EACH, RESOURCES)
    pairs = granted_pairs(many)
    crossings = {"ours": Crossing(folder / "ours", programs, many, NETWORKS, pairs),
                 "ours_at_100": Crossing(folder / "ours_at_100", programs, few, NETWORKS, granted_pairs(few))}
    for shape in SHAPES:
        # The daemon is there for the tunnel, the routes and the settings; only the rules are another's.
        crossings[shape] = Crossing(folder / shape, programs, few, NETWORKS, pairs)
        crossings[shape].nft(getattr(baselines, shape)(sorted(pairs)))
    return crossings


def each(what, answers):
    """Nanoseconds a packet, the median of the slices."""
    sent, arrived = (sum(answer[key] for answer in answers) for key in ("sent", "arrived"))
    if arrived < 0.999 * sent:
        sys.exit(f"bench: {what}: {arrived} packets of {sent} came through")
    return round(statistics.median(answer["cpu_ns"] / answer["sent"] for answer in answers))


def in_turn(crossings, number):
    """Every other time the other way round."""
    return list(crossings.items())[::1 if number % 2 else -1]


def new_flows(crossings):
    answers = {shape: [] for shape in crossings}
    for number in range(SLICES):
        for shape, crossing in in_turn(crossings, number):
            answers[shape].append(crossing.packets.ask(f"new {FLOWS.get(shape, FLOWS_ELSEWHERE)} 443"))
            crossing.forget_flows()
    return {shape: each(f"new flows, {shape}", some) for shape, some in answers.items()}


def established(crossings, way):
    answers = {shape: [] for shape in crossings}
    for number in range(SLICES):
        for shape, crossing in in_turn(crossings, number):
            answers[shape].append(crossing.packets.ask(f"{way} {OPEN_FLOWS}"))
    return {shape: each(f"established, {way}, {shape}", some) for shape, some in answers.items()}


def open_flows(crossings):
    for shape, crossing in crossings.items():
        crossing.packets.ask(f"open {OPEN_FLOWS}")
        with crossing.gateway:
            proven = run("conntrack -L --mark 0x3/0x3 2>/dev/null").count("\n")
        if shape == "ours" and proven != OPEN_FLOWS:
            sys.exit(f"bench: {proven} flows of {OPEN_FLOWS} are proven")


def bulk(crossings):
    rates = {shape: [] for shape in crossings}
    for number in range(SLICES):
        for shape, crossing in in_turn(crossings, number):
            rates[shape].append(download(crossing, BULK_SERVER, BULK_BYTES))
    return {shape: round(statistics.median(some)) for shape, some in rates.items()}


def check_refusals(crossings):
    """Rules that let through what nobody may have measure nothing."""
    for shape, crossing in crossings.items():
        passed = crossing.packets.ask("new 100 80")["arrived"]
        if passed > 1:  # the interface itself may have been told something meanwhile
            sys.exit(f"bench: {shape} let {passed} packets to port 80 through")
        crossing.forget_flows()


def digest(ruleset):
    """Of its lines and elements, sorted: the kernel lists the elements of a set in an order of its own."""
    words = sorted(word.strip() for word in re.split("[,{}\\n]", ruleset))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def measure(crossings, pairs):
    rows = [{"ruleset": shape, "sha256": digest(crossing.ruleset("-s"))} for shape, crossing in crossings.items()]
    for row in rows:
        print(f"ruleset {row['ruleset']}: sha256 {row['sha256']}", file=sys.stderr)
    rules = {shape: crossings[shape].ruleset("-s -t") for shape in crossings}
    check_refusals(crossings)

    two = {shape: crossings[shape] for shape in ("ours", "minimum")}
    measured = [{"pair": number, "new_flow_ns": new_flows(crossings)} for number in range(pairs)]
    open_flows(two)
    for row in measured:
        row["out_ns"], row["back_ns"] = established(two, "out"), established(two, "back")
        row["established_ns"] = {shape: row["out_ns"][shape] + row["back_ns"][shape] for shape in two}
    for crossing in two.values():
        crossing.connect_bulk(BULK_CLIENT, BULK_SERVER)
    for row in measured:
        row["bulk_bytes_per_s"] = bulk(two)
    for shape, before in rules.items():
        if crossings[shape].ruleset("-s -t") != before:
            sys.exit(f"bench: the ruleset {shape} is no longer what was measured")
    return rows + measured, measured


def main():
    programs, pairs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    run("mount -t tmpfs bench /run")
    with tempfile.TemporaryDirectory() as name:
        rows, measured = measure(make_crossings(pathlib.Path(name), programs), pairs)

    def ratios(what, over, under):
        return [row[what][over] / row[what][under] for row in measured]

    goals = [median_goal(rows, "new_flow_vs_minimum", "<=", 1.5, ratios("new_flow_ns", "ours", "minimum")),
             median_goal(rows, "new_flow_growth", "<=", 1.15, ratios("new_flow_ns", "ours", "ours_at_100")),
             median_goal(rows, "established_vs_minimum", "<=", 1.25, ratios("established_ns", "ours", "minimum")),
             median_goal(rows, "bulk_vs_minimum", ">=", 0.97, ratios("bulk_bytes_per_s", "ours", "minimum")),
             median_goal(rows, "new_flow_vs_rule_per_grant", ">=", 100, ratios("new_flow_ns", "rule_per_grant", "ours"))]
    tell("ruleset", rows, goals)


if __name__ == "__main__":
    main()
