#!/usr/bin/env python3
"""Holds what folders include and link against arrows.txt; exits 1 and says each breach.

check.py [ROOT]   the tree it stands in, or another
"""
import pathlib
import re
import sys

# Pure folders do no I/O and read no clock. pure_symbols.py looks at what their object files call; here
# it is the headers: the standard's that do neither, and what arrows.txt lists.
PURE = ("policy/", "gateway/control", "gateway/engine", "gateway/notice", "gateway/packet")
PURE_HEADERS = set(
    "algorithm array bit cassert charconv chrono cmath compare concepts cstddef cstdint cstring "
    "expected functional initializer_list iterator limits map memory numeric optional ranges set "
    "span sstream stdexcept string string_view tuple type_traits unordered_map unordered_set "
    "utility variant vector".split())
# What any other folder may use unasked: the standard library, the C library, the kernel's headers.
SYSTEM_HEADERS = re.compile(
    r"[a-z_]+|(sys|linux|net|netinet|arpa)/.+|"
    r"(dirent|endian|errno|fcntl|grp|netdb|poll|pwd|sched|signal|string|time|unistd)\.h")
# The headers that each library is linked for: a folder links it if it may use them.
HEADERS_OF = {
    "Boost::headers": "boost", "CLI11::CLI11": "CLI", "OpenSSL::Crypto": "openssl",
    "PkgConfig::CURL": "curl", "PkgConfig::MNL": "libmnl", "PkgConfig::NFTNL": "libnftnl", "PkgConfig::QRCODEGEN": "qrcodegen.hpp",
    "PkgConfig::SODIUM": "sodium.h", "PkgConfig::SQLITE": "sqlite3.h", "PkgConfig::SYSTEMD": "systemd",
    "PkgConfig::UTF8PROC": "utf8proc.h",
    "Threads::Threads": "boost", "fmt::fmt": "fmt", "nlohmann_json::nlohmann_json": "nlohmann",
}


def read_arrows(path):
    arrows, headers = set(), set()
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\S+) (->|=>) (\S+) : (.+)", line)
        if not match:
            sys.exit(f"{path}:{number}: not an arrow with a reason: {line}")
        source, kind, target, _ = match.groups()
        (arrows if kind == "->" else headers).add((source, target))
    return arrows, headers


def sources(folder):
    return [path for path in sorted(folder.iterdir()) if path.suffix in (".h", ".cc")]


def folders(root):
    """Every folder with sources, below the two that hold the product."""
    for top in ("policy", "gateway"):
        for folder in sorted(path for path in (root / top).rglob("*") if path.is_dir()):
            if sources(folder):
                yield str(folder.relative_to(root))


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match[1] == '"', match[2]


def targets(root):
    """What CMake says of each folder: {folder: (DEPENDS, LIBRARIES)}, and lines that say it elsewhere."""
    found, stray = {}, []
    for name in ("policy", "gateway"):
        text = re.sub(r"#.*", "", (root / name / "CMakeLists.txt").read_text())
        for folder, rest in re.findall(r"sekisho_(?:library|program)\(([^\s)]+)([^)]*)\)", text):
            lists = dict(re.findall(r"(DEPENDS|LIBRARIES)((?:\s+(?!DEPENDS|LIBRARIES)\S+)+)", rest))
            found[folder] = [lists.get(kind, "").split() for kind in ("DEPENDS", "LIBRARIES")]
        stray += re.findall(r"(?:target_)?link_libraries\([^)]*\)", text)
    return found, stray


def check(root):
    arrows, headers = read_arrows(root / "tests/arrows/arrows.txt")
    linked, stray = targets(root)
    breaches = [f"CMake: {line} links beside DEPENDS and LIBRARIES" for line in stray]
    used, present = set(), set(folders(root))
    breaches += [f"{folder}: sources that belong to no target" for folder in sorted(present - set(linked))]
    breaches += [f"{folder}: a target without sources" for folder in sorted(set(linked) - present)]

    def may_use(folder, header):
        # The longest listed path that the header is or lies below.
        for path in [header, *map(str, pathlib.PurePosixPath(header).parents)]:
            if (folder, path) in headers:
                used.add((folder, path))
                return True
        if folder.startswith(PURE):
            return header in PURE_HEADERS
        return SYSTEM_HEADERS.fullmatch(header)

    for folder in sorted(present):
        depends, libraries = linked.get(folder, ([], []))
        for target in depends:
            if (folder, target) not in arrows:
                breaches.append(f"CMake: {folder} -> {target} is not an allowed arrow")
        for library in libraries:
            if not may_use(folder, HEADERS_OF.get(library, library)):
                breaches.append(f"CMake: {folder} may not link {library}")
        for path in sources(root / folder):
            for number, ours, header in includes(path):
                place = f"{path.relative_to(root)}:{number}"
                if not ours:
                    if not may_use(folder, header):
                        breaches.append(f"{place}: {folder} may not use <{header}>")
                    continue
                target = str(pathlib.PurePosixPath(header).parent)
                used.add((folder, target))
                if target != folder and (folder, target) not in arrows:
                    breaches.append(f"{place}: {folder} -> {target} is not an allowed arrow")
    for source, target in sorted((arrows | headers) - used):
        breaches.append(f"arrows.txt: {source} may use {target} and does not: take it out")
    return breaches


if __name__ == "__main__":
    found = check(pathlib.Path(sys.argv[1]) if sys.argv[1:] else pathlib.Path(__file__).resolve().parents[2])
    print("\n".join(found) or "all arrows hold")
    sys.exit(1 if found else 0)
