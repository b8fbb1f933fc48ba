#!/usr/bin/env python3
"""Reads what the object files of pure folders call: nothing that does I/O, reads a clock or draws lots.

pure_symbols.py LIBRARY.a...   exits 1 and names each such symbol
"""
import re
import subprocess
import sys

# All that they need of the C library, and of utf8proc what allocates nothing. A new name here wants a
# look: is it still pure?
C_FUNCTIONS = set(
    "abort explicit_bzero inet_pton localeconv memchr memcmp memcpy memmove memset snprintf strcmp "
    "strlen strtod strtoll strtoull utf8proc_decompose utf8proc_reencode".split())
RUNTIME = re.compile(r"__(cxa|gxx|stack_chk|asan|ubsan)_\w+|_Unwind_\w+|_GLOBAL_OFFSET_TABLE_|__dso_handle|"
                     r"__libc_single_threaded|__errno_location|__assert_fail")
# Mangled: clocks, streams on files and terminals, randomness, threads.
IMPURE_CPP = re.compile(r"_ZNSt6chrono|_ZNSt10filesystem|basic_filebuf|fstream|random_device|"
                        r"_ZNSt6thread|_ZSt[34](cin|cout|cerr|clog)|_ZN5boost")


def is_pure(symbol):
    if symbol.startswith("_Z"):
        return not IMPURE_CPP.search(symbol)
    fortified = re.fullmatch(r"__(\w+)_chk", symbol)
    return RUNTIME.fullmatch(symbol) or (fortified[1] if fortified else symbol) in C_FUNCTIONS


def undefined(library):
    lines = subprocess.run(["nm", "-u", library], check=True, capture_output=True, text=True).stdout
    return sorted(set(re.findall(r"^ +[Uw] (\S+)$", lines, re.MULTILINE)))


breaches = [f"{library}: {symbol}" for library in sys.argv[1:] for symbol in undefined(library)
            if not is_pure(symbol)]
print("\n".join(breaches) or "all of it is pure")
sys.exit(1 if breaches else 0)
