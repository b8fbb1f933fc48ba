#!/usr/bin/env python3
"""What devices say of themselves, and what they are told: the portal inside the tunnel, flags, ready hooks."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import unittest

from spaces import RUN, Flow, alone, attempt, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import ECHO, FAILURE, GRANTED, NOT_FOUND, PROGRAMS, POLICY, World, records, result, sekisho

HOOKS = pathlib.Path(__file__).parents[2] / "scripts/hooks"
GATEWAY = {4: "10.66.0.1", 6: "fd66::1"}
# The guard counts devices: more of them are needed than the three that may go without being asked.
MORE = "\n".join(f'[person.p{i}]\nname = "P{i}"\n' for i in range(40))


class Portal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(policy=POLICY + MORE + '[response]\ncontact = "佐藤 <extension 1>"\nwindow = "1m"\nlow = "record"\n')
        cls.ana, cls.ben = cls.world.clients
        for i in range(40):
            key = run("wg genkey | wg pubkey").strip()
            sekisho(f"device add d{i} --person p{i} --public-key {key}")
        cls.start()
        cls.tokens = {name: result(f"device token {name}-laptop")["token"] for name in ("ana", "ben")}
        for client in cls.world.clients:
            with client.host:
                for family, address in GATEWAY.items():
                    run(f"ip -{family} route replace {address} dev {client.interface}")
            wait_until(lambda: cls.passes(client), 60, "traffic")

    @classmethod
    def start(cls):
        cls.portal = subprocess.Popen([PROGRAMS / "sekisho-portal", "--socket", RUN / "run/portal.sock",
                                       "--listen", "10.66.0.1:80", "--listen", "[fd66::1]:80"], stderr=subprocess.DEVNULL)

        def listens():
            return "10.66.0.1:80" in run("ss -Htln") and "[fd66::1]:80" in run("ss -Htln")
        wait_until(listens, 10, "the portal")

    @classmethod
    def tearDownClass(cls):
        cls.portal.terminate()
        cls.portal.wait()
        cls.world.daemon.end()

    def tearDown(self):
        for row in result("quarantine list"):
            sekisho(f"quarantine release {row['target']} --reason clean --finding nothing")

    @staticmethod
    def passes(client):
        return attempt(client.host, ECHO[0], GRANTED, 2) == "passes"

    def ask(self, client, method, path, body=None, token=None, family=4, headers=None):
        with client.host:
            connection = http.client.HTTPConnection(GATEWAY[family], 80, timeout=10)
            connection.connect()
        headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
        connection.request(method, path, body if body is None or isinstance(body, (str, bytes)) else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def flag(self, client, token=None, expect=200, **said):
        answer, text = self.ask(client, "POST", "/v1/flag", {"source": "test", **said}, token or self.tokens[client.name])
        self.assertEqual(answer.status, expect, text)
        return json.loads(text)

    def test_a_device_flags_itself_and_is_isolated(self):
        flow = Flow(self.ana.host, ECHO[0], GRANTED, 3)
        self.assertTrue(flow.says())
        told = self.flag(self.ana, detail="EICAR", key="one")
        self.assertEqual((told["state"], told["device"], told["repeated"]), ("acted", "ana-laptop", False))
        with self.assertRaises(OSError):
            flow.says()
        self.assertFalse(self.passes(self.ana))
        self.assertTrue(self.passes(self.ben))
        again = self.flag(self.ana, detail="EICAR", key="one")
        self.assertEqual((again["repeated"], again["flag"]), (True, told["flag"]))
        self.assertEqual(len([row for row in result("flag list") if row["key"] == "one"]), 1)
        for family in GATEWAY:
            answer, page = self.ask(self.ana, "GET", "/", family=family)
            self.assertEqual(answer.status, 200)
            for word in ("切り離されています", "has been cut off", "ana-laptop", "佐藤 &lt;extension 1&gt;"):
                self.assertIn(word, page)
            self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
        self.assertIn("Nothing is wrong", self.ask(self.ben, "GET", "/")[1])
        self.assertEqual(result("quarantine show device:ana-laptop")["automatic"], True)

    def test_who_is_cut_off_is_told_nothing(self):
        sekisho("quarantine add device:ana-laptop --reason test --level cut")
        with self.assertRaises(OSError), self.ana.host:
            socket.create_connection((GATEWAY[4], 80), timeout=2)
        sekisho("quarantine release device:ana-laptop --reason clean --finding nothing")
        self.ana.reconnect()
        with self.ana.host:
            for family, address in GATEWAY.items():
                run(f"ip -{family} route replace {address} dev {self.ana.interface}")
        wait_until(lambda: self.passes(self.ana), 60, "traffic")

    def test_a_token_is_good_for_its_device_at_its_address_alone(self):
        for token in self.tokens["ben"], "sekisho_flag_wrong", "":
            answer, text = self.ask(self.ana, "POST", "/v1/flag", {"source": "test"}, token)
            self.assertIn(answer.status, (401, 403), text)
            self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        old = self.tokens["ana"]
        self.tokens["ana"] = result("device token ana-laptop")["token"]
        self.flag(self.ana, old, 403)
        self.assertEqual(self.flag(self.ana, severity="low")["state"], "recorded")
        self.assertTrue(self.passes(self.ana))
        # Whatever it says, it cannot name another, and the portal's socket carries nothing else.
        self.flag(self.ana, expect=422, target="device:ben-laptop")
        done = sekisho("quarantine add device:ben-laptop --reason x", 4, socket=RUN / "run/portal.sock")
        self.assertIn("may not do this", done.stderr)

    def test_mistakes_are_told_and_change_nothing(self):
        before = len(result("flag list"))
        token = self.tokens["ana"]
        for method, path, body, status in (("GET", "/etc/passwd", None, 404), ("PUT", "/", None, 405), ("GET", "/v1/flag", None, 405),
                                           ("POST", "/v1/flag", "no json", 422), ("POST", "/v1/flag", "[]", 422),
                                           ("POST", "/v1/flag", {"detail": "x"}, 422), ("POST", "/v1/flag", {"source": 7}, 422),
                                           ("POST", "/v1/flag", {"source": "x", "severity": "awful"}, 422),
                                           ("POST", "/v1/flag", "x" * 20_000, 413), ("GET", "/../../etc/passwd", None, 404)):
            with self.subTest(f"{method} {path} {str(body)[:20]}"):
                answer, text = self.ask(self.ana, method, path, body, token)
                self.assertEqual(answer.status, status, text)
                self.assertEqual(set(json.loads(text)) - {"advice"}, {"status", "code", "detail"})
        self.assertEqual(len(result("flag list")), before)

    def test_slow_and_many_callers_keep_nobody_out(self):
        sockets = []
        with self.ana.host:
            for _ in range(20):
                sockets.append(socket.create_connection((GATEWAY[4], 80), timeout=5))
                sockets[-1].sendall(b"GET / HTTP/1.1\r\n")
        for caller in self.ben, self.ana:
            began = time.monotonic()
            self.assertEqual(self.ask(caller, "GET", "/")[0].status, 200)
            self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.flag(self.ana, severity="low")["state"], "recorded", "its hook gets through as well")
        for each in sockets:
            each.settimeout(25)
        def end_of(one):
            try:
                return one.recv(1000)
            except ConnectionResetError:
                return b""
        self.assertFalse(any(end_of(each) for each in sockets), "nobody is waited for longer than 15 s, nor more than 8 of one address")
        self.assertEqual(self.ask(self.ana, "GET", "/")[0].status, 200)

    def test_wrong_tokens_silence_nobody(self):
        with self.ana.host:
            connection = http.client.HTTPConnection(GATEWAY[4], 80, timeout=10)
            for _ in range(50):
                connection.request("POST", "/v1/flag", '{"source": "x"}', {"Authorization": "Bearer sekisho_flag_wrong"})
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.status, 403)
        refusals = [row for row in result("audit list --limit 100") if row["operation"] == "flag.add" and row["result"] != "ok"]
        self.assertLessEqual(len(refusals), 20, "nor fill the disk")
        self.assertIn(self.flag(self.ana, detail="EICAR", key="after wrong ones")["state"], ("acted", "asking"))

    def test_names_are_data(self):
        self.flag(self.ana, severity="low", detail="<script>alert(1)</script>\n\x1b[31m", source="a<b>")
        row = result("flag list --limit 1")[0]
        self.assertEqual((row["source"], row["detail"]), ("a<b>", "<script>alert(1)</script>  [31m"))
        self.assertNotIn("<script", self.ask(self.ana, "GET", "/")[1])

    def test_without_the_gateway_the_page_says_so(self):
        path = RUN / "run/portal.sock"
        away = RUN / "run/away.sock"
        path.rename(away)
        try:
            answer, page = self.ask(self.ana, "GET", "/")
            self.assertEqual(answer.status, 503)
            self.assertIn("not known", page)
            self.flag(self.ana, expect=503)
        finally:
            away.rename(path)

    def test_the_guard_asks_where_too_many_would_go(self):
        time.sleep(61)  # what other tests did is out of the window
        for i in range(3):
            self.assertEqual(result(f"flag add device:d{i} --source siem")["state"], "acted")
        asking = result("flag add device:d3 --source siem --detail worm")
        self.assertEqual(asking["state"], "asking")
        self.assertIn("guard", asking["outcome"])
        self.assertEqual(result("quarantine list")[-1]["target"], "device:d2")
        self.assertGreaterEqual(result("status")["flags_asking"], 1)
        acted = result(f"flag act {asking['flag']} --reason 'the officer looked'")
        self.assertEqual(acted["state"], "acted")
        self.assertEqual(result("quarantine show device:d3")["automatic"], False)
        other = result("flag add device:d4 --source siem")
        sekisho(f"flag dismiss {other['flag']} --reason 'a test file'")
        self.assertEqual(result(f"flag show {other['flag']}")["state"], "dismissed")
        sekisho("flag show 999", NOT_FOUND)
        sekisho(f"flag dismiss {other['flag']} --reason ''", FAILURE)

    def test_the_officers_own_device_is_asked_about(self):
        sekisho("response set --officer ben")
        told = self.flag(self.ben, detail="on the officer's own")
        self.assertEqual(told["state"], "asking")
        self.assertIn("officer", told["outcome"])
        self.assertTrue(self.passes(self.ben))
        sekisho("response set --officer p0")

    def test_the_clamav_hook_tells_the_gateway(self):
        conf = RUN / "hook.conf"
        conf.write_text(f"url = http://{GATEWAY[4]}/v1/flag\ntoken = {self.tokens['ana']}\n")
        bad = RUN / 'ev"il\\ $(touch owned) \n; `touch owned` name'
        bad.write_text("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
        environment = os.environ | {"SEKISHO_HOOK_CONF": str(conf), "CLAM_VIRUSEVENT_FILENAME": str(bad),
                                    "CLAM_VIRUSEVENT_VIRUSNAME": "Eicar-Signature"}
        with self.ana.host:
            for _ in range(2):
                subprocess.run([HOOKS / "clamav"], env=environment, check=True, timeout=60, cwd=RUN)
        rows = [row for row in result("flag list") if "Eicar-Signature in" in (row["detail"] or "")]
        self.assertEqual(len(rows), 1, "the same file in the same place counts once")
        self.assertIn('ev"il\\ $(touch', rows[0]["detail"])
        self.assertEqual(rows[0]["state"], "acted")
        self.assertFalse((RUN / "owned").exists())
        sekisho("quarantine release device:ana-laptop --reason clean --finding nothing")
        with self.ana.host:
            subprocess.run([HOOKS / "clamav"], env=environment, check=True, timeout=60, cwd=RUN)
        self.assertEqual(result("quarantine show device:ana-laptop")["level"], "isolate", "the file is there again")

    def test_the_wazuh_hook_tells_the_gateway(self):
        conf, log = RUN / "wazuh.conf", RUN / "wazuh.log"
        conf.write_text(f"url = http://{GATEWAY[4]}/v1/flag\ntoken = {self.tokens['ben']}\n")
        alert = {"id": "1.2", "rule": {"id": "554", "level": 5, "description": "a \"quoted\" thing"}, "syscheck": {"path": "/tmp/x"}}
        environment = os.environ | {"SEKISHO_HOOK_CONF": str(conf), "SEKISHO_HOOK_LOG": str(log)}
        for command, count in (("add", 1), ("add", 1), ("delete", 1)):
            line = json.dumps({"version": 1, "command": command, "parameters": {"alert": alert}})
            with self.ben.host:
                subprocess.run([HOOKS / "wazuh"], env=environment, input=line + "\n", text=True, check=True, timeout=60)
            rows = [row for row in result("flag list") if row["source"] == "wazuh"]
            self.assertEqual(len(rows), count)
        self.assertEqual((rows[0]["severity"], rows[0]["state"]), ("low", "recorded"))
        self.assertIn('rule 554: a "quoted" thing (/tmp/x)', rows[0]["detail"])
        # What an alert may hold that is not as it should be loses no flag.
        odd = {"id": "3", "rule": None, "data": None, "syscheck": {"path": "/tmp/\ud800x"}}
        for alert in odd, None:
            line = json.dumps({"version": 1, "command": "add", "parameters": {"alert": alert}})
            with self.ben.host:
                subprocess.run([HOOKS / "wazuh"], env=environment, input=line + "\n", text=True, check=True, timeout=60)
        self.assertNotIn("NOT told", log.read_text())
        self.assertEqual(len([row for row in result("flag list") if row["source"] == "wazuh"]), 3)
        with self.ben.host:
            subprocess.run([HOOKS / "wazuh"], env=environment, input="nonsense\n", text=True, check=True, timeout=60)
        self.assertIn("NOT told", log.read_text())

    def test_an_endless_file_delays_no_word_of_the_hook(self):
        conf = RUN / "endless.conf"
        conf.write_text(f"url = http://{GATEWAY[4]}/v1/flag\ntoken = {self.tokens['ana']}\n")
        endless = RUN / "endless"
        os.mkfifo(endless)
        environment = os.environ | {"SEKISHO_HOOK_CONF": str(conf), "CLAM_VIRUSEVENT_FILENAME": str(endless),
                                    "CLAM_VIRUSEVENT_VIRUSNAME": "Endless-Signature"}
        with self.ana.host:
            subprocess.run([HOOKS / "clamav"], env=environment, check=True, timeout=20, cwd=RUN)
        self.assertTrue(any("Endless-Signature" in (row["detail"] or "") for row in result("flag list")))

    def test_busy_connections_silence_no_hook(self):
        """Programs of the same laptop that hold the token of nobody keep 16 connections busy."""
        ends = threading.Event()
        def keep_busy():
            while not ends.is_set():
                try:
                    with self.ana.host:
                        connection = http.client.HTTPConnection(GATEWAY[4], 80, timeout=5)
                        connection.connect()
                    while not ends.is_set():
                        connection.request("POST", "/v1/flag", '{"source": "x"}', {"Authorization": "Bearer sekisho_flag_wrong"})
                        connection.getresponse().read()
                except OSError:
                    pass
                except http.client.HTTPException:
                    pass
        programs = [threading.Thread(target=keep_busy) for _ in range(16)]
        for program in programs:
            program.start()
        try:
            conf = RUN / "busy.conf"
            conf.write_text(f"url = http://{GATEWAY[4]}/v1/flag\ntoken = {self.tokens['ana']}\n")
            environment = os.environ | {"SEKISHO_HOOK_CONF": str(conf), "CLAM_VIRUSEVENT_FILENAME": "/nowhere",
                                        "CLAM_VIRUSEVENT_VIRUSNAME": "Busy-Signature"}
            with self.ana.host:
                subprocess.run([HOOKS / "clamav"], env=environment, check=True, timeout=70, cwd=RUN)
        finally:
            ends.set()
            for program in programs:
                program.join(10)
        self.assertTrue(any("Busy-Signature" in (row["detail"] or "") for row in result("flag list")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
