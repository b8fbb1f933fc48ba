#!/usr/bin/env python3
"""No daemon runs a shell or another program: looks at what its program calls. fork(2) by itself is a
copy of the same program.

no_programs.py PROGRAM...   exits 1 and names each call that would start another program
"""
import re
import subprocess
import sys

STARTS = re.compile(r"(exec(v|ve|vp|vpe|veat|l|le|lp)|fexecve|vfork|clone3?|posix_spawnp?|popen|system)(@.*)?")

calls = [f"{program}: {symbol}" for program in sys.argv[1:]
         for symbol in subprocess.run(["nm", "-D", "--undefined-only", "--format=just-symbols", program], check=True,
                                      capture_output=True, text=True).stdout.split() if STARTS.fullmatch(symbol)]
print("\n".join(calls) or "none starts another program")
sys.exit(1 if calls else 0)
