#!/usr/bin/env python3
"""Holds the folders' #include lines and CMake DEPENDS against arrows.txt; exits 1 and says each breach.

With --self-test it plants one forbidden include in a copy of the list and expects to find it.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PURE = ("policy/", "gateway/control", "gateway/engine")
# The C++ and C headers by which a pure folder could do I/O, read a clock or start something.
IMPURE = re.compile(
    r"(boost|sys|netinet|linux|libmnl|libnftnl|sqlite3|openssl|sodium|unistd\.h|fcntl\.h|fstream|iostream|"
    r"filesystem|thread|mutex|random|ctime|time\.h|cstdlib|stdlib\.h|spdlog)(/|$|\.h)")


def read_arrows(path):
    arrows, libraries = set(), {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+) (->|=>) (\S+) : (.+)", line)
        if not match:
            sys.exit(f"{path}:{number}: not an arrow with a reason: {line}")
        source, kind, target, _ = match.groups()
        if kind == "->":
            arrows.add((source, target))
        else:
            libraries.setdefault(source, set()).add(target)
    return arrows, libraries


def includes(folder):
    for path in sorted(folder.glob("*.h")) + sorted(folder.glob("*.cc")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#include\s+(["<])([^">]+)[">]', line)
            if match:
                yield path.relative_to(ROOT), number, match[1] == '"', match[2]


def cmake_depends():
    text = "".join((ROOT / name / "CMakeLists.txt").read_text() for name in ("policy", "gateway"))
    for folder, rest in re.findall(r"sekisho_(?:library|program)\(([^\s)]+)([^)]*)\)", text):
        match = re.search(r"DEPENDS\s+((?:(?:policy|gateway|webadmin)/\S+\s*)+)", rest)
        yield folder, match[1].split() if match else []


def check(arrows, libraries):
    breaches, used = [], set()
    for folder, depends in cmake_depends():
        if not list((ROOT / folder).glob("*.cc")):
            breaches.append(f"{folder}: a target without sources")
        for target in depends:
            if (folder, target) not in arrows:
                breaches.append(f"CMake: {folder} -> {target} is not an allowed arrow")
        for path, number, ours, header in includes(ROOT / folder):
            if ours:
                target = str(pathlib.PurePosixPath(header).parent)
                used.add((folder, target))
                if target != folder and (folder, target) not in arrows:
                    breaches.append(f"{path}:{number}: {folder} -> {target} is not an allowed arrow")
            elif folder.startswith(PURE) and IMPURE.match(header):
                if not any(header.startswith(prefix) for prefix in libraries.get(folder, ())):
                    breaches.append(f"{path}:{number}: {folder} is pure and may not use <{header}>")
    for source, target in sorted(arrows - used):
        if (ROOT / source).is_dir() and list((ROOT / source).glob("*.cc")):
            breaches.append(f"arrows.txt: {source} -> {target} is allowed and used by nobody: take it out")
    return breaches


def main():
    arrows, libraries = read_arrows(pathlib.Path(__file__).with_name("arrows.txt"))
    if "--self-test" in sys.argv:
        victim = next(arrow for arrow in sorted(arrows) if arrow[0] == "gateway/engine")
        if not any(" -> ".join(victim) in breach for breach in check(arrows - {victim}, libraries)):
            sys.exit("a forbidden arrow was not found")
        return
    breaches = check(arrows, libraries)
    print("\n".join(breaches) if breaches else f"{len(arrows)} arrows hold")
    sys.exit(1 if breaches else 0)


main()
