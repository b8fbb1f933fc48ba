"""./scripts/lab, used as a person uses it. Needs root; takes a running lab down."""

import ipaddress
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

import machine

SCRIPT = str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lab")
PROGRAMS = os.environ.get("SEKISHO_BIN", pathlib.Path(SCRIPT).parents[1] / "build" / "release" / "bin")
HOSTS = ["laptop", "phone", "wifi", "gateway", "office", "internet"]


def lab(*arguments, expect=0, **options):
    """Runs `lab`; the outcome, whose exit code must be `expect`."""
    outcome = subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, timeout=180, **options)
    if outcome.returncode != expect:
        raise AssertionError(f"lab {' '.join(arguments)}: exit code {outcome.returncode}, not {expect}\n"
                             f"{outcome.stdout}{outcome.stderr}")
    return outcome


def on(host, *command, **options):
    """Runs a command on a host; what it printed."""
    return lab("exec", host, "--", *command, **options).stdout


class BareLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab("down")
        cls.before = machine.snapshot()
        lab("up", "--bare")

    @classmethod
    def tearDownClass(cls):
        lab("down")

    def setUp(self):
        lab("up", "--bare")

    def test_up_again_changes_nothing(self):
        networks = machine.networks_of_lab()
        processes = machine.processes_in(networks)
        lab("up", "--bare")
        self.assertEqual(machine.networks_of_lab(), networks)
        self.assertEqual(machine.processes_in(networks), processes)

    def test_two_at_once_take_turns(self):
        lab("down")
        both = [subprocess.Popen([SCRIPT, "up", "--bare"], stdout=subprocess.DEVNULL) for _ in range(2)]
        self.assertEqual([process.wait(timeout=120) for process in both], [0, 0])
        self.assert_answers()

    def test_down_leaves_nothing_and_can_be_repeated(self):
        networks = machine.networks_of_lab()
        self.assertTrue(machine.processes_in(networks))
        during = machine.snapshot()
        for kind in ["mounts", "files"]:  # or the comparison below could see nothing
            self.assertGreater(during[kind], self.before[kind])
        for _ in range(2):
            lab("down")
            self.assertEqual(machine.processes_in(networks), [])
            after = machine.snapshot()
            for kind, was in self.before.items():
                self.assertEqual(after[kind], was, kind)

    def test_down_ends_what_others_run_there(self):
        sleeper = subprocess.Popen([SCRIPT, "exec", "laptop", "--", "sleep", "300"])
        self.await_process("laptop", "sleep")
        lab("down")
        self.assertEqual(sleeper.wait(timeout=10), -signal.SIGKILL)

    def test_down_while_somebody_reads_a_log(self):
        with open(machine.LAB / "log/office-sshd.log", encoding="utf-8"):
            lab("down")
            self.assertFalse(machine.LAB.exists())
            lab("up", "--bare")
        self.assert_answers()

    def test_up_after_all_its_processes_were_killed(self):
        for process in machine.processes_in(machine.networks_of_lab()):
            os.kill(process, signal.SIGKILL)
        lab("up", "--bare")
        self.assert_answers()

    def test_up_after_up_was_killed(self):
        for after_seconds in [0.2, 0.8, 1.6]:
            with self.subTest(after_seconds=after_seconds):
                lab("down")
                half = subprocess.Popen([SCRIPT, "up", "--bare"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
                time.sleep(after_seconds)
                os.killpg(half.pid, signal.SIGKILL)
                half.wait()
                lab("up", "--bare")
                self.assert_answers()

    def test_up_notices_a_server_that_died(self):
        pid = int((machine.LAB / "hosts/office/pids/nginx").read_text())
        os.kill(pid, signal.SIGKILL)
        self.assertIn("has ended", lab("status").stdout)
        lab("up", "--bare")
        self.assertNotIn("has ended", lab("status").stdout)

    def test_exec_returns_the_exit_code(self):
        lab("exec", "laptop", "--", "true")
        lab("exec", "laptop", "--", "sh", "-c", "exit 7", expect=7)
        lab("exec", "laptop", "sh", "-c", "exit 8", expect=8)
        lab("exec", "laptop", "--", "/no/such/program", expect=127)

    def test_exec_refuses_what_it_cannot_do(self):
        self.assertIn("laptop phone wifi gateway office internet",
                      lab("exec", "printer", "--", "true", expect=2).stderr)
        lab("exec", "laptop", "--", expect=2)
        lab("exec", expect=2)
        lab("sideways", expect=2)
        lab("up", "--sideways", expect=2)
        lab("down")
        lab("exec", "laptop", "--", "true", expect=3)
        lab("status", expect=3)
        lab("status", "--json", expect=3)

    def test_exec_passes_input_output_arguments_and_folder(self):
        self.assertEqual(on("phone", "tr", "a-z", "A-Z", input="sekisho"), "SEKISHO")
        self.assertEqual(on("phone", "printf", "<%s>", "a b", "", "*"), "<a b><><*>")
        self.assertEqual(on("phone", "pwd", cwd="/usr/share"), "/usr/share\n")

    def test_exec_in_parallel_and_signalled(self):
        sleepers = [subprocess.Popen([SCRIPT, "exec", "laptop", "--", "sleep", "300"]) for _ in range(2)]
        self.await_process("laptop", "sleep", count=2)
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGTERM)
        self.assertEqual([sleeper.wait(timeout=10) for sleeper in sleepers], [-signal.SIGTERM] * 2)
        lab("exec", "laptop", "--", "pgrep", "--ns", "self", "--nslist", "net", "-x", "sleep", expect=1)

    def test_each_host_has_its_own_network_files_and_name(self):
        for host in HOSTS:
            self.assertEqual(on(host, "hostname"), f"{host}\n")
            on(host, "sh", "-c", "echo mine >/etc/whose; echo mine >/run/whose")
        for path in ["/etc/whose", "/run/whose"]:
            self.assertFalse(os.path.exists(path))

    def test_status_names_every_host_for_people(self):
        shown = lab("status").stdout
        for word in HOSTS + ["203.0.113.10", "2001:db8:b::10", "https 443", "smtp 25"]:
            self.assertIn(word, shown)

    def test_status_json_has_the_agreed_shape(self):
        status = json.loads(lab("status", "--json").stdout)
        self.assertEqual(list(status), ["hosts"])
        self.assertEqual(list(status["hosts"]), HOSTS)
        for host, facts in status["hosts"].items():
            self.assertEqual(set(facts), {"ipv4", "ipv6", "serves"})
            self.assertEqual(set(facts["serves"]), {"https", "ssh"})
            self.assertTrue(all(ipaddress.IPv4Address(one) for one in facts["ipv4"]))
            self.assertTrue(all(ipaddress.IPv6Address(one) for one in facts["ipv6"]))
            for endpoint in sum(facts["serves"].values(), []):
                address, port = endpoint.rsplit(":", 1)
                self.assertTrue(0 < int(port) < 65536)
                self.assertIn(address.strip("[]"), facts["ipv4"] + facts["ipv6"])
        self.assertEqual(status["hosts"]["office"]["serves"],
                         {"https": ["203.0.113.10:443", "[2001:db8:a::10]:443"],
                          "ssh": ["203.0.113.10:22", "[2001:db8:a::10]:22"]})

    def test_https_servers_speak_what_they_should(self):
        for version in ["4", "6"]:
            self.assertEqual(self.page(version, "https://www.internet.test/"), "www.internet.test: hello\n")
            self.assertEqual(self.page(version, "https://old.internet.test/"), "old.internet.test: hello\n")
            self.assertEqual(self.page(version, "https://wiki.office.test/"), "wiki.office.test: hello\n")
            self.assertEqual(self.page(version, "https://payroll.office.test/"),
                             "payroll.office.test: confidential\n")
        self.assertEqual(self.page("4", "https://198.51.100.10/"), "www.internet.test: hello\n")
        tls_refused = 35  # curl's exit code
        self.page("4", "--tls-max", "1.2", "https://www.internet.test/", expect=tls_refused)
        self.page("4", "--tlsv1.3", "https://old.internet.test/", expect=tls_refused)

    def test_other_servers_speak_what_they_should(self):
        for version in ["4", "6"]:
            self.assertEqual(self.page(version, "http://www.internet.test/"), "www.internet.test: hello\n")
            self.assertEqual(self.page(version, "http://plain443.internet.test:443/"),
                             "plain443.internet.test: hello\n")
            self.assertEqual(self.login(version, "www.internet.test"), "internet\n")
            self.assertEqual(self.login(version, "-p", "443", "ssh443.internet.test"), "internet\n")
            self.assertEqual(self.login(version, "wiki.office.test"), "office\n")
            self.assertRegex(self.say(version, "mail.internet.test", "25", "EHLO lab\r\nQUIT\r\n"),
                             r"\A220 mail\.internet\.test .*\n250 .*\n221 .*\n\Z")
            self.assertIn("database.office.test", self.say(version, "database.office.test", "5432", "hello\n"))
        fake = on("gateway", "sh", "-c", "echo hello | nc -q 1 -w 5 fake.internet.test 443 | od -An -tx1 -N3")
        self.assertEqual(fake.split(), ["16", "03", "03"])

    def test_name_servers_tell_who_they_are(self):
        on("gateway", "ip", "address", "replace", "10.66.0.1/32", "dev", "lo")
        for host, server, who in [("gateway", "10.66.0.1", "the gateway"),
                                  ("gateway", "198.51.100.53", "a foreign resolver"),
                                  ("gateway", "2001:db8:b::53", "a foreign resolver"),
                                  ("laptop", "198.51.100.53", "the hostile Wi-Fi"),
                                  ("laptop", "2001:db8:b::53", "the hostile Wi-Fi")]:
            answer = on(host, "dig", "+short", "+time=2", "TXT", f"@{server}", "resolver.test")
            self.assertEqual(answer, f'"{who}"\n')
        on("gateway", "ip", "address", "delete", "10.66.0.1/32", "dev", "lo")

    def test_the_wifi_answers_for_everybody_and_leads_nowhere(self):
        for version in ["4", "6"]:
            self.assertIn("hostile Wi-Fi", on("laptop", "curl", f"-{version}sS", "-m5", "http://www.internet.test/"))
        refused = 7  # curl's exit code
        for url in ["https://198.51.100.10/", "https://203.0.113.10/", "https://[2001:db8:b::10]/"]:
            lab("exec", "laptop", "--", "curl", "-gksS", "-m5", url, expect=refused)
        capture = on("wifi", "sh", "-c", f"tcpdump -A -r {machine.LAB}/wifi.pcap0 2>/dev/null")
        self.assertIn("Host: www.internet.test", capture)

    def test_there_is_no_way_out(self):
        for host in HOSTS:
            kinds = on(host, "sh", "-c", "ip -br link show up | cut -d' ' -f1")
            self.assertLessEqual({name.split("@")[0] for name in kinds.split()},
                                 {"lo", "wlan0", "eth0", "lan", "wan", "laptop", "phone", "office", "internet"})

    def test_a_daemon_that_does_not_start_is_named_with_its_log(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ["sekishod", "sekisho"]:
                program = pathlib.Path(folder) / name
                program.write_text("#!/bin/sh\necho the moon is wrong\nexit 1\n")
                program.chmod(0o755)
            outcome = lab("up", expect=1, env=os.environ | {"SEKISHO_BIN": folder})
        self.assertIn("the moon is wrong", outcome.stderr)
        self.assertIn("sekishod on gateway ended before", outcome.stderr)
        lab("status", expect=3)

    def assert_answers(self):
        self.assertEqual(self.page("4", "https://www.internet.test/"), "www.internet.test: hello\n")

    def page(self, version, *arguments, expect=0):
        return on("gateway", "curl", f"-{version}sS", "-m5", *arguments, expect=expect)

    def login(self, version, *arguments):
        return on("gateway", "ssh", f"-{version}", *arguments, "hostname")

    def say(self, version, host, port, text):
        return on("gateway", "nc", f"-{version}", "-q1", "-w5", host, port, input=text)

    def await_process(self, host, name, count=1):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = subprocess.run([SCRIPT, "exec", host, "--", "sh", "-c", f"pgrep -c --ns $$ --nslist net -x {name}"],
                                   capture_output=True, text=True)
            if int(found.stdout or 0) >= count:
                return
            time.sleep(0.05)
        self.fail(f"no {name} on {host}")


class FullLab(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab("down")
        cls.before = machine.snapshot()
        lab("up")

    @classmethod
    def tearDownClass(cls):
        lab("down")

    def setUp(self):
        lab("up")

    def test_both_tunnels_have_handshaken(self):
        for host in ["laptop", "phone"]:
            handshake = int(on(host, "wg", "show", "wg0", "latest-handshakes").split()[1])
            self.assertLess(time.time() - handshake, 180)

    def test_the_profile_is_as_issued_and_without_the_private_key(self):
        for host, device in [("laptop", "tanaka-laptop"), ("phone", "suzuki-phone")]:
            profile = on(host, "cat", "/etc/wireguard/wg0.conf")
            self.assertIn("[Peer]", profile)
            self.assertNotRegex(profile, r"(?m)^\s*PrivateKey\s*=\s*\S")
            self.assertNotIn(on(host, "cat", "/etc/wireguard/private.key").strip(), profile)
            issued = on("gateway", f"{PROGRAMS}/sekisho", "--socket", f"{machine.LAB}/run/control.sock",
                        "device", "profile", device)
            self.assertEqual(profile, issued)

    def test_the_sample_policy_is_in_force(self):
        self.assertEqual(on("laptop", "curl", "-sS", "-m10", "https://www.internet.test/"),
                         "www.internet.test: hello\n")
        self.assertEqual(on("laptop", "ssh", "www.internet.test", "hostname"), "internet\n")
        self.assertEqual(on("phone", "curl", "-sS", "-m10", "https://wiki.office.test/"),
                         "wiki.office.test: hello\n")
        refused = 7  # curl's exit code: the name was resolved and the connection refused
        lab("exec", "laptop", "--", "curl", "-sS", "-m10", "https://wiki.office.test/", expect=refused)
        lab("exec", "phone", "--", "curl", "-sS", "-m10", "https://payroll.office.test/", expect=refused)
        lab("exec", "phone", "--", "curl", "-sS", "-m10", "https://www.internet.test/", expect=refused)

    def test_up_after_all_its_processes_were_killed(self):
        for process in machine.processes_in(machine.networks_of_lab()):
            os.kill(process, signal.SIGKILL)
        lab("up")
        self.test_the_sample_policy_is_in_force()

    def test_down_leaves_nothing(self):
        networks = machine.networks_of_lab()
        lab("down")
        self.assertEqual(machine.processes_in(networks), [])
        after = machine.snapshot()
        for kind, was in self.before.items():
            self.assertEqual(after[kind], was, kind)


if __name__ == "__main__":
    unittest.main()
