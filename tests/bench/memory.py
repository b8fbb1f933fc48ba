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
    """The most that processes hold together at one moment. `pids` says which they are just then."""

    def __init__(self, pids):
        self.pids, self._most, self._go_on = pids, 0, True
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._go_on = False
        self._thread.join()

    def take(self):
        """Since the last time that it was taken."""
        most, self._most = self._most, 0
        return round(most, 1)

    def _watch(self):
        while self._go_on:
            held = megabytes(self.pids())
            self._most = max(self._most, held)
            time.sleep(0.005)
