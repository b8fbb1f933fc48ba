#!/usr/bin/env python3
"""The control of check.py: in a copy of the tree each kind of breach is planted, and must be named."""
import pathlib
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
from check import check

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is added to (or, after ->, replaced in) which file, and what must be said of it.
PLANTED = [
    ("policy/base/ip.cc", '#include "policy/model/policy.h"\n', "policy/base -> policy/model is not an allowed arrow"),
    ("gateway/engine/edit.cc", '#include "gateway/store/store.h"\n', "gateway/engine -> gateway/store is not"),
    ("policy/model/policy.h", '#include "tests/model/random.h"\n', "policy/model -> tests/model is not"),
    ("policy/model/decode.cc", "#include <fstream>\n", "policy/model may not use <fstream>"),
    ("policy/compile/atoms.h", "# include <sys/socket.h>\n", "policy/compile may not use <sys/socket.h>"),
    ("policy/explain/explain.cc", "#include <ctime>\n", "policy/explain may not use <ctime>"),
    ("gateway/engine/plan.cc", "#include <boost/asio/io_context.hpp>\n", "gateway/engine may not use <boost/"),
    ("gateway/control/message.cc", "#include <unistd.h>\n", "gateway/control may not use <unistd.h>"),
    ("gateway/store/store.cc", "#include <sodium.h>\n", "gateway/store may not use <sodium.h>"),
    ("policy/strange/new.cc", "int x;\n", "policy/strange: sources that belong to no target"),
    ("gateway/CMakeLists.txt", "sekisho_library(gateway/none)\n", "gateway/none: a target without sources"),
    ("policy/CMakeLists.txt", "target_link_libraries(policy_base PUBLIC gateway_store)\n", "links beside DEPENDS"),
    ("gateway/CMakeLists.txt", "sekisho_library(gateway/engine -> sekisho_library(gateway/engine LIBRARIES Boost::headers",
     "gateway/engine may not link Boost::headers"),
    ("gateway/CMakeLists.txt", "sekisho_library(gateway/control DEPENDS -> sekisho_library(gateway/control DEPENDS gateway/store",
     "CMake: gateway/control -> gateway/store is not"),
    ("policy/CMakeLists.txt", "sekisho_library(policy/base) -> sekisho_library(policy/base LIBRARIES gateway_store)",
     "policy/base may not link gateway_store"),
    ("tests/arrows/arrows.txt", "gateway/keys -> policy/model : why not\n", "gateway/keys may use policy/model and does not"),
]


def copy_of_the_tree(where):
    for folder in ("policy", "gateway", "tests/arrows"):
        shutil.copytree(ROOT / folder, where / folder)


def plant(where, file, what):
    path = where / file
    path.parent.mkdir(exist_ok=True)
    text = path.read_text() if path.exists() else ""
    old, arrow, new = what.partition(" -> ") if file.endswith("CMakeLists.txt") else (what, "", "")
    if arrow and old not in text:
        sys.exit(f"{file} no longer says: {old}")
    path.write_text(text.replace(old, new) if arrow else text + what)


missed = []
for file, what, said in PLANTED:
    with tempfile.TemporaryDirectory() as folder:
        where = pathlib.Path(folder)
        copy_of_the_tree(where)
        plant(where, file, what)
        breaches = check(where)
        if len(breaches) != 1 or said not in breaches[0]:
            missed.append(f"{file}: {what.strip()}: expected '{said}', was told: {breaches}")
print("\n".join(missed) or f"{len(PLANTED)} breaches planted, each was named alone")
sys.exit(1 if missed else 0)
