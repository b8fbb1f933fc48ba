"""The memory of processes while they work."""

import pathlib
import re
import threading
import time


def megabytes(pids):
    """What they hold together, shared pages divided among who shares them (PSS)."""
    total = 0
    for pid in pids:
        try:
            smaps = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended
        found = re.search(r"^Pss: +(\d+) kB", smaps, re.M)
        total += int(found[1]) / 1024 if found else 0
    return total


class Peak:
    """The most that these processes came to hold at one moment: `with Peak([pid]) as peak`."""

    def __init__(self, pids):
        self.pids, self.megabytes, self.looks = list(pids), 0, 0
        self._go_on = True
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._go_on = False
        self._thread.join()

    def _watch(self):
        while self._go_on:
            self.megabytes = max(self.megabytes, megabytes(self.pids))
            self.looks += 1
            time.sleep(0.005)
