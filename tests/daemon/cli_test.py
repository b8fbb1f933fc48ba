#!/usr/bin/env python3
"""The command line on the real daemon: exit codes, JSON, help, and the policy as a document."""

import json
import re
import unittest

from spaces import RUN, alone, run

if __name__ == "__main__":
    alone()

from gateway import (CONFLICT, FAILURE, GOOD_CONFIG, NO, NOT_FOUND, OK, POLICY, SOCKET, UNREACHABLE, USAGE, Daemon, records, result, sekisho)

KEY, OTHER_KEY = (run("wg genkey | wg pubkey").strip() for _ in range(2))

# Every operation once, in an order in which each succeeds, and the exit code that means so.
EVERY_OPERATION = [
    ("status", OK), ("doctor", NO),  # no name server answers here
    ("service-catalogue", OK), ("quota show", OK), ("quota set --devices-per-person 5", OK),
    ("role add sales --name Sales", OK), ("role list", OK), ("role show sales", OK), ("role set sales --name Selling", OK),
    ("person add cho --name 長 --role sales --valid-until 2099-01-01", OK), ("person list", OK), ("person show cho", OK),
    ("person set cho --valid-until never --reason 'stays with us'", OK),
    (f"device add cho-pc --person cho --public-key {KEY}", OK), ("device list", OK), ("device show cho-pc", OK),
    ("device set cho-pc --state blocked", OK), ("device set cho-pc --state active", OK), ("device profile cho-pc", OK),
    ("resource add db --classification internal --prefix 203.0.113.40/32 --service tls:993 "
     "--service 'tcp:5432=the accounts program speaks PostgreSQL'", OK),
    ("resource list", OK), ("resource show db", OK), ("resource show internet", OK), ("resource set db --name Database", OK),
    ("grant add cho-db --who role:sales --resource db --reason accounts --until 2099-01-01", OK),
    ("grant list", OK), ("grant show cho-db", OK), ("grant set cho-db --until never", OK),
    ("policy can cho 203.0.113.40:5432", OK), ("policy explain cho 203.0.113.40:5432", OK), ("policy review", OK),
    ("policy matrix", OK), ("policy matrix --person cho --resource db --at 2098-01-01", OK), ("policy export", OK), ("policy history", OK),
    ("response set --remediation db --contact 'Sato 03' --officer cho --two-people true --low record", OK), ("response show", OK),
    ("response set --remediation none --officer none --two-people false", OK),
    ("quarantine add cho-pc --reason test --level cut", OK), ("quarantine list", OK), ("quarantine show cho-pc", OK),
    ("quarantine release cho-pc --reason looked --finding nothing", OK), ("quarantine test", OK),
    ("flag add cho-pc --source siem --detail worm", OK), ("flag list", OK), ("flag show 1", OK), ("flag act 1 --reason looked", OK),
    ("flag dismiss 1 --reason looked", OK), ("quarantine release cho-pc --reason looked --finding nothing", OK),
    ("device token cho-pc", OK), ("notice show 10.66.0.2", OK), ("notify test", OK), ("person offboard ana", OK),
    ("policy check {file}", OK), ("policy diff {file}", OK), ("policy apply {file}", OK), ("policy import {new}", OK),
    ("policy apply {file} --confirm 60s", OK), ("policy confirm", OK),
    ("policy fmt {file}", OK), ("completion zsh", OK),
    ("policy rollback 1", OK), ("audit list", OK), ("audit verify", OK),
    ("grant remove ana-web", OK), ("resource remove web", OK), ("person add temp --name T", OK),
    ("device add temp-pc --person temp --public-key {other}", OK), ("device remove temp-pc", OK), ("person remove temp", OK),
    ("role add temp", OK), ("role remove temp", OK),
]

# What is asked, the exit code, and what standard error says.
REFUSED = [
    ("", USAGE, "subcommand"), ("nonsense", USAGE, 'no command "nonsense"'), ("person", USAGE, "subcommand"),
    ("person nonsense", USAGE, 'no command "nonsense"'),
    ("person add", USAGE, "id is required"), ("person add a b", USAGE, ""), ("person add x --colour red", USAGE, "--colour"),
    ("policy history --limit many", USAGE, "many"), ("policy history --limit 0", FAILURE, "--limit 1 to 1000"),
    ("audit list --limit -1", FAILURE, "--limit 1 to 1000"), ("policy apply", USAGE, ""), ("policy rollback one", USAGE, "one"),
    ("person add x --name A --name B", USAGE, "--name"),
    (f"device add x --person ana --public-key {KEY} --make-key-here", USAGE, "excludes"),
    ("person add Nobody! --name X", FAILURE, "cannot be a name"), ("person set ana --state asleep", FAILURE, "asleep"),
    ("person add x --name X --role nothing", FAILURE, "nothing"), ("device add x --person ana", FAILURE, "public key is missing"),
    ("device add x --person ana --public-key short", FAILURE, "public_key"),
    (f"device add x --person ana --public-key {KEY} --address 192.0.2.1", FAILURE, "192.0.2.1"),
    ("grant add x --who person:ana --resource web --reason r --until yesterday", FAILURE, "error[invalid]: grant.x.until: "),
    ("resource add x --prefix 203.0.113.40/32 --service https", FAILURE, "write public, internal or confidential"),
    ("person remove ana", FAILURE, "first: device remove ana-pc; grant remove ana-"), ("policy apply /nonexistent", FAILURE, "No such file"),
    ("policy check {bad}", FAILURE, "{bad}:2:9: person.x.state"), ("policy apply {bad}", FAILURE, "{bad}:2:9: person.x.state"),
    ("policy check {lost}", FAILURE, "{lost}:5:12: grant.x.resource"), ("policy diff {lost}", FAILURE, "{lost}:5:12"),
    ("policy fmt {bad}", FAILURE, "{bad}:2:9: person.x.state"), ("policy fmt --write --check {new}", USAGE, "excludes"),
    ("policy fmt --check {new}", NO, "{new} is not formatted"), ("policy fmt --syntax yaml {new}", FAILURE, "yaml"),
    ("policy apply {lost}", FAILURE, "{lost}:5:12: grant.x.resource"), ("policy import {lost}", FAILURE, "{lost}:5:12"),
    ("policy check {file} --syntax yaml", FAILURE, "yaml"), ("completion tcsh", FAILURE, "bash, zsh or fish"), ("policy can ana here", FAILURE, "here"),
    ("person show nobody", NOT_FOUND, "does not exist"), ("person set nobody --name X", NOT_FOUND, ""),
    ("device remove nothing", NOT_FOUND, ""), ("device profile nothing", NOT_FOUND, ""), ("grant remove nothing", NOT_FOUND, ""),
    ("policy rollback 99999", NOT_FOUND, "policy history"), ("policy export --revision 99999", NOT_FOUND, ""),
    ("policy can nobody 192.0.2.1:443", NOT_FOUND, ""), ("policy confirm", NOT_FOUND, "nothing waits to be confirmed"),
    ("policy can ana 203.0.113.10:7000 --at 2000-01-01", NOT_FOUND, "none in force at 2000-01-01T00:00:00Z"),
    ("policy explain ana 203.0.113.10:7000 --at yesterday", FAILURE, "at: "),
    ("policy matrix --person nobody", NOT_FOUND, "person list"), ("policy matrix --resource nothing", NOT_FOUND, "resource list"),
    ("policy apply {file} --confirm soon", FAILURE, "give 1s to 24h"), ("policy check /tmp", FAILURE, "/tmp: cannot be read: Is a directory"),
    ("policy check {broken}", FAILURE, "{broken}:2:9: this byte is not UTF-8"), ("policy explain ana 203.0.113.10:22", NO, "no: "),
    ("person add ana --name Again", CONFLICT, "exists already"), ("policy import {file}", CONFLICT, "person.ana"),
    ("policy apply {file} --base 99999", CONFLICT, "is active, not 99999"), ("policy rollback 1 --base 99999", CONFLICT, ""),
    ("policy can ana 203.0.113.10:22", NO, ""), ("policy can ana 203.0.113.10:7000/udp", NO, ""),
]


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        (RUN / "outbox").mkdir()
        cls.daemon = Daemon(GOOD_CONFIG + f'outbox = "{RUN}/outbox"\n')
        cls.daemon.make_interface()
        cls.daemon.start()
        cls.files = {"file": POLICY, "bad": "[person.x]\nstate = 7\n", "lost": '[person.x]\nname = "X"\n[grant.x]\nwho = "person:x"\nresource = "nowhere"\nreason = "r"\n',
                     "new": '[person.newcomer]\nname = "New"\n'}
        cls.files["broken"] = None
        (RUN / "broken.toml").write_bytes(b"[person.x]\nname = \"\xff\"\n")
        for name, text in cls.files.items():
            if text is not None:
                (RUN / f"{name}.toml").write_text(text)

    def setUp(self):
        sekisho("policy apply -", input=POLICY)
        sekisho(f"device add ana-pc --person ana --public-key {run('wg genkey | wg pubkey').strip()}")

    def tearDown(self):
        sekisho("policy apply -", input="")

    def words(self, words):
        return words.format(other=OTHER_KEY, **{name: RUN / f"{name}.toml" for name in self.files})

    def schemas(self):
        """Every command there is, from the help itself."""
        commands = []
        for group in self.subcommands(""):
            below = self.subcommands(group)
            commands += [f"{group} {verb}" for verb in below] or [group]
        return commands

    @staticmethod
    def subcommands(group):
        text = sekisho(f"{group} --help").stdout
        _, _, listed = text.partition("Subcommands:")
        return re.findall(r"^  ([a-z][a-z-]*) ", listed, re.M)

    def test_every_operation_as_text_and_as_json(self):
        commands = self.schemas()
        self.assertGreater(len(commands), 30)
        for flags in "", "--json ":
            sekisho("policy apply -", input="")
            sekisho("policy apply -", input=POLICY)
            tried = set()
            for words, expect in EVERY_OPERATION:
                words = self.words(words).replace("rollback 1", f"rollback {result('status')['revision'] - 1}")
                with self.subTest(flags + words):
                    if "import" in words:
                        sekisho("person remove newcomer", None)
                    done = sekisho(flags + words, expect)
                    self.assertEqual(done.stderr, "")
                    name = next(command for command in commands if words.startswith(command))
                    tried.add(name)
                    if flags:
                        answer = json.loads(done.stdout)
                        self.assertEqual(list(answer), ["schema", "result"])
                        self.assertEqual(answer["schema"], f"sekisho.{name.replace(' ', '.')}/1")
                    else:
                        self.assertNotEqual(done.stdout, "")
                        self.assertEqual(sekisho("--quiet status").stdout, "")
            self.assertEqual(tried, set(commands))

    def test_every_help(self):
        for command in [""] + self.schemas():
            done = sekisho(f"{command} --help")
            self.assertIn("Usage: sekisho", done.stdout)
            self.assertEqual(done.stderr, "")
        self.assertRegex(sekisho("--version").stdout, r"\d+\.\d+")

    def test_what_is_refused(self):
        for words, expect, told in REFUSED:
            words = self.words(words)
            with self.subTest(words):
                revision = result("status")["revision"]
                done = sekisho(words, expect)
                self.assertIn(self.words(told), done.stdout + done.stderr)
                self.assertEqual(result("status")["revision"], revision)
                if expect in (FAILURE, NOT_FOUND, CONFLICT, USAGE):
                    self.assertRegex(done.stderr, r"\Aerror\[\w+\]: .+(\n  what to do: .+)?")
                answer = json.loads(sekisho("--json " + words, expect).stdout)
                self.assertRegex(answer["schema"], r"\Asekisho\.\w+(\.\w+)?/1\Z")
                self.assertEqual("errors" in answer, expect != NO)
                for error in answer.get("errors", []):
                    self.assertEqual(list(error), ["code", "object", "cause", "place", "advice"])
                    self.assertEqual(error["code"] == "usage", expect == USAGE)

    def test_unreachable(self):
        for socket in "/nonexistent.sock", str(RUN):
            done = sekisho("status", UNREACHABLE, socket=socket)
            self.assertIn("error[unreachable]", done.stderr)
            answer = json.loads(sekisho("--json status", UNREACHABLE, socket=socket).stdout)
            self.assertEqual(answer["errors"][0]["code"], "unreachable")

    def test_documents_round_trip(self):
        sekisho("role add sales --name 営業; true".split(";")[0])
        sekisho("grant add tricky --who role:sales --resource echo --reason 'a \"quoted\" \\\\ reason — 理由'")
        sekisho("resource add both --classification public --prefix 203.0.113.77/32 --service https "
                "--service 'udp:53=an exception = with equals'")
        for syntax in "toml", "json":
            file = RUN / f"whole.{syntax}"
            exported = sekisho(f"policy export --syntax {syntax}").stdout
            file.write_text(exported)
            before = result("status")["revision"]
            sekisho(f"policy check {file}")
            self.assertEqual(result(f"policy diff {file}"), {"objects": [], "access": [], "flows": []})
            self.assertEqual(result(f"policy apply {file}")["changed"], False)
            self.assertEqual(result("status")["revision"], before)
            kept = run(f"sqlite3 -readonly {RUN}/state/state.db 'select count(*) from devices' 2>&1", check=False)
            sekisho("policy apply -", input="")
            self.assertNotEqual(sekisho(f"policy export --syntax {syntax}").stdout, exported)
            sekisho(f"policy apply {file} --reason back")
            self.assertEqual(sekisho(f"policy export --syntax {syntax}").stdout, exported, kept)
            self.assertEqual(result("policy history --limit 1")[0]["reason"], "back")
            number = result("status")["revision"]
            self.assertEqual(sekisho(f"policy export --revision {number} --syntax {syntax}").stdout, exported)

    def test_rollback_history_and_base(self):
        first = result("status")["revision"]
        was = sekisho("policy export").stdout
        sekisho("person add cho --name C --reason 'a new colleague'")
        sekisho("grant add cho-web --who person:cho --resource web --reason test")
        newest = result("status")["revision"]
        self.assertEqual(newest, first + 2)
        sekisho(f"policy rollback {first} --base {first}", CONFLICT)
        sekisho(f"policy rollback {first} --base {newest}")
        self.assertEqual(sekisho("policy export").stdout, was)
        history = result("policy history --limit 4")
        self.assertEqual([row["revision"] for row in history], [newest + 1, newest, newest - 1, first])
        self.assertEqual([row["state"] for row in history], ["active"] + ["superseded"] * 3)
        self.assertEqual(history[2]["reason"], "a new colleague")
        self.assertEqual(len({row["digest"] for row in history}), 4)  # each stands for all that it came from
        self.assertEqual({row["author"] for row in history}, {"root"})
        # A device that was removed does not come back.
        sekisho("device remove ana-pc")
        sekisho(f"policy rollback {newest + 1}")
        sekisho("device show ana-pc", NOT_FOUND)

    def test_import_adds_and_changes_nothing(self):
        before = result("policy export --syntax json")["document"]
        sekisho(f"policy import {RUN}/new.toml --reason more")
        after = json.loads(result("policy export --syntax json")["document"])
        self.assertEqual(after["person"].pop("newcomer")["name"], "New")
        self.assertEqual(after, json.loads(before))
        self.assertEqual(records("policy.import")[0]["reason"], "more")

    def test_every_attempt_is_recorded(self):
        for words, expect, operation, said in [("person add cho --name C --reason why", OK, "person.add", "ok"),
                                               ("person add cho --name C", CONFLICT, "person.add", "exists already"),
                                               ("grant remove nothing", NOT_FOUND, "grant.remove", "does not exist")]:
            sekisho(words, expect)
            newest = records(limit=1)[0]
            self.assertEqual(newest["operation"], operation)
            self.assertIn(said, newest["result"])
        self.assertIn('name = "C"', records("person.add")[1]["after"])
        self.assertEqual(records("person.add")[1]["reason"], "why")
        self.assertTrue(result("audit verify")["answer"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
