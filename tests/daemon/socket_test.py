#!/usr/bin/env python3
"""The control socket: who may use it, and that no caller stops it for others."""

import json
import os
import pathlib
import stat
import struct
import subprocess
import time
import unittest

from spaces import RUN, alone, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import (FAILURE, GOOD_CONFIG, NOT_PERMITTED, OK, PROGRAMS, SOCKET, UNREACHABLE, CONFIG, Connection, Daemon,
                     frame, log_end, records, result, sekisho)

GROUP, OFFICER, STRANGER = 64100, 64101, 64102
MAX_FRAME = (32 << 20) + (1 << 20)


def make_users():
    """`officer` is in sekisho-admin by a supplementary group; both files are seen by this test alone."""
    for name, lines in [("passwd", f"officer:x:{OFFICER}:{OFFICER}::/:/bin/sh\nstranger:x:{STRANGER}:{STRANGER}::/:/bin/sh\n"),
                        ("group", f"sekisho-admin:x:{GROUP}:officer\nofficer:x:{OFFICER}:\nstranger:x:{STRANGER}:\n")]:
        file = pathlib.Path("/etc", name)
        others = "".join(line for line in file.read_text().splitlines(True) if not line.startswith("sekisho-admin:"))
        (RUN / name).write_text(others + lines)
        run(f"mount --bind {RUN / name} {file}")


class ControlSocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        make_users()
        cls.daemon = Daemon()
        cls.daemon.make_interface()
        cls.daemon.start()
        run(f"chmod 755 {RUN}")

    def assert_serves(self, within=5):
        began = time.monotonic()
        sekisho("status", OK)
        self.assertLess(time.monotonic() - began, within)

    # -- who -----------------------------------------------------------------------------------------

    def test_its_file(self):
        self.assertEqual(stat.S_IMODE(SOCKET.stat().st_mode), 0o660)
        self.assertEqual((SOCKET.stat().st_uid, SOCKET.stat().st_gid), (0, GROUP))

    def test_root_and_the_group_act_and_are_recorded_by_name(self):
        for user, name, uid in (None, "root", 0), ("officer", "officer", OFFICER):
            sekisho(f"person add by-{name} --name X", user=user)
            newest = records("person.add")[0]
            self.assertEqual((newest["actor"], newest["uid"], newest["object"]), (name, uid, f"person.by-{name}"))
            self.assertEqual(result("policy history")[0]["author"], name)

    def test_others_are_refused_by_the_file(self):
        for words in "status", "person list", "person add x --name X":
            told = sekisho(words, NOT_PERMITTED, user="stranger").stderr
            self.assertIn("error[not_permitted]", told)
            self.assertIn("sekisho-admin", told)

    def test_others_are_refused_by_the_daemon_even_where_the_file_lets_them(self):
        SOCKET.chmod(0o666)
        try:
            for words in "status", "person add y --name Y":
                self.assertIn("error[not_permitted]", sekisho(words, NOT_PERMITTED, user="stranger").stderr)
                newest = records(limit=1)[0]
                self.assertEqual((newest["actor"], newest["uid"]), ("stranger", STRANGER))
                self.assertIn("may not", newest["result"])
            # The control: the same user, once in the group.
            sekisho("status", OK, user="officer")
        finally:
            SOCKET.chmod(0o660)
        sekisho("person show y", 3)

    # -- how -----------------------------------------------------------------------------------------

    def test_garbage_is_answered_and_the_connection_goes_on(self):
        connection = Connection()
        for payload in [b"", b"\0", b"{", b"[]", b"7", b"\xff\xfe", b"{}", b'{"operation":7}', b'{"operation":"no.such"}',
                        b'{"operation":"person.add","parameters":[]}', b'{"operation":"person.add","parameters":{"id":7}}',
                        b'{"operation":"status","parameters":{"x":1}}', b"[" * 100000,
                        b'{"operation":"policy.apply","parameters":{"document":"' + b"[" * 100000 + b'"}}']:
            connection.send(frame(payload))
            self.assertIn("errors", connection.reply(), payload[:60])
        self.assertIn("result", connection.ask("status"))
        self.assert_serves()

    def test_an_oversized_frame_is_refused_before_it_is_read(self):
        for length in MAX_FRAME + 1, 0xffffffff:
            connection = Connection()
            connection.send(struct.pack(">I", length))
            self.assertIn("longer than", connection.reply()["errors"][0]["cause"])
            with self.assertRaises((EOFError, OSError)):
                connection.ask("status")
        self.assert_serves()

    def test_announced_memory_is_not_taken(self):
        def memory():
            return int(pathlib.Path(f"/proc/{self.daemon.process.pid}/statm").read_text().split()[1]) * 4096
        before = memory()
        half = [Connection() for _ in range(20)]
        for connection in half:
            connection.send(struct.pack(">I", MAX_FRAME) + b"{")
        self.assert_serves()
        self.assertLess(memory() - before, 64 << 20)
        for connection in half:
            connection.close()

    def test_callers_that_never_finish_keep_nobody_out(self):
        for first in b"", b"\0\0", struct.pack(">I", 100) + b"{":
            idle = []
            for _ in range(100):
                idle.append(Connection())
                if first:
                    idle[-1].send(first)
            self.assert_serves()
            connection = Connection()
            for _ in range(3):
                self.assertIn("result", connection.ask("status"))
            for one in idle:
                one.close()
        self.assert_serves()

    def test_callers_that_do_not_read_keep_nobody_waiting(self):
        question = frame(json.dumps({"operation": "person.list", "parameters": {}}).encode())
        deaf = [Connection() for _ in range(10)]
        for connection in deaf:
            connection.socket.setblocking(False)
            try:
                while True:
                    connection.send(question)
            except BlockingIOError:
                pass
        for _ in range(5):
            self.assert_serves()
        for connection in deaf:
            connection.close()

    def test_callers_that_leave_early(self):
        for _ in range(200):
            connection = Connection()
            connection.send(frame(b'{"operation":"person.list","parameters":{}}'))
            connection.close()
        self.assert_serves()

    def test_descriptors_do_not_leak(self):
        def count():
            return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))
        before = count()
        for _ in range(100):
            Connection().close()
        wait_until(lambda: count() <= before + 1, 10, lambda: f"{count()} descriptors to be {before}")

    # -- one daemon ----------------------------------------------------------------------------------

    def test_a_second_daemon_is_refused_and_the_first_goes_on(self):
        for config, cause in [(GOOD_CONFIG, "state"), (GOOD_CONFIG.replace("/run/test/state", "/run/test/state2"), "another")]:
            CONFIG.write_text(config)
            second = Daemon(config)
            second.start(ready=False)
            self.assertEqual(second.process.wait(timeout=20), FAILURE)
            self.assertIn(cause, log_end(1))
            self.assert_serves()

    def test_the_socket_of_a_dead_daemon_is_taken_over(self):
        self.daemon.end(9)
        self.assertTrue(SOCKET.exists())
        sekisho("status", UNREACHABLE)
        self.daemon.start()
        self.assertEqual(stat.S_IMODE(SOCKET.stat().st_mode), 0o660)

    def test_the_log_may_go_away(self):
        self.daemon.end()
        reader, writer = os.pipe()
        self.daemon.process = subprocess.Popen([PROGRAMS / "sekishod", "--config", CONFIG], stderr=writer)
        os.close(writer)
        self.daemon.wait_enforcing()
        os.close(reader)
        run("nft flush ruleset")  # makes it log
        wait_until(lambda: "sekisho" in run("nft list tables"), 10, "the repair")
        self.assert_serves()


if __name__ == "__main__":
    unittest.main(verbosity=2)
