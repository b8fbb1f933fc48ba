"""./scripts/demo, used as a person uses it. Needs root; takes a running lab down."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import machine

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"
PROGRAMS = pathlib.Path(os.environ.get("SEKISHO_BIN", SCRIPTS.parent / "build" / "release" / "bin"))

# Says that the laptop is cut off and let back without doing it, and grants Suzuki's wiki to Tanaka as well.
LYING_SEKISHO = f"""#!/bin/bash
real=({PROGRAMS}/sekisho "${{@:1:2}}")
case "$*" in
  *"quarantine add tanaka-laptop"* | *"quarantine release tanaka-laptop"*) exit 0 ;;
  *"grant add suzuki-wiki"*) "${{real[@]}}" grant add tanaka-wiki --who person:tanaka --resource wiki --reason lie ;;
esac
exec {PROGRAMS}/sekisho "$@"
"""


class Demo(unittest.TestCase):
    def setUp(self):
        subprocess.run([SCRIPTS / "lab", "down"], check=True)
        self.before = machine.snapshot()

    def tearDown(self):
        subprocess.run([SCRIPTS / "lab", "down"], check=True)

    def test_every_attempt_ends_as_it_should(self):
        outcome = self.demo("--once")
        self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)
        self.assertNotIn("WRONG", outcome.stdout)
        told = len(re.findall(r"(?m)^  ok     ", outcome.stdout))
        self.assertGreater(told, 50)
        self.assertIn(f"All {told} attempts ended as they should.", outcome.stdout)
        self.assert_nothing_left()

    def test_what_is_wrong_is_told_and_makes_it_fail(self):
        with tempfile.TemporaryDirectory() as folder:
            for honest in "sekishod", "sekisho-portal":
                (pathlib.Path(folder) / honest).symlink_to(PROGRAMS / honest)
            liar = pathlib.Path(folder) / "sekisho"
            liar.write_text(LYING_SEKISHO)
            liar.chmod(0o755)
            outcome = self.demo("--once", env=os.environ | {"SEKISHO_BIN": folder})
        self.assertEqual(outcome.returncode, 1, outcome.stdout + outcome.stderr)
        wrong = re.findall(r"(?m)^  WRONG  (.*)$", outcome.stdout)
        self.assertEqual(sum("wiki, which is Suzuki's" in line for line in wrong), 2, wrong)  # IPv4, IPv6
        self.assertIn("refused: anything at all: HTTPS", wrong)
        self.assertTrue(any(line.startswith("the download ends: ") for line in wrong), wrong)
        self.assertRegex(outcome.stdout, rf"{len(wrong)} of \d+ attempts did NOT end as they should\.")
        self.assert_nothing_left()

    def test_interrupted_it_takes_the_lab_down(self):
        demo = subprocess.Popen([SCRIPTS / "demo"], stdout=subprocess.PIPE, text=True, start_new_session=True)
        for line in demo.stdout:
            if line.startswith("  ok     "):
                break
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does it
        demo.communicate(timeout=60)
        self.assertIn(demo.returncode, [130, 2])  # 2: bash 5.2 fails at a trap that comes while it reads a $(...)
        self.assert_nothing_left()

    def test_help_and_wrong_usage(self):
        self.assertIn("--once", self.demo("--help").stdout)
        for arguments in [["--twice"], ["--once", "more"]]:
            outcome = self.demo(*arguments)
            self.assertEqual(outcome.returncode, 2)
            self.assertIn("--once", outcome.stderr)

    def demo(self, *arguments, **options):
        return subprocess.run([SCRIPTS / "demo", *arguments], capture_output=True, text=True, timeout=400, **options)

    def assert_nothing_left(self):
        self.assertFalse(machine.LAB.exists())
        after = machine.snapshot()
        for kind, was in self.before.items():
            self.assertEqual(after[kind], was, kind)


if __name__ == "__main__":
    unittest.main()
