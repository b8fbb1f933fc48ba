#!/usr/bin/env python3
"""Completion in real shells, of what the real daemon knows."""

import os
import pty
import re
import select
import shlex
import socket
import subprocess
import time
import unittest

from spaces import RUN, alone

if __name__ == "__main__":
    alone()

from gateway import POLICY, PROGRAMS, SOCKET, Daemon, result, sekisho

PROGRAM = PROGRAMS / "sekisho"
ENVIRONMENT = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(RUN), "TERM": "dumb", "LC_ALL": "C.UTF-8",
               "SEKISHO_SOCKET": str(SOCKET)}


def script(shell):
    return subprocess.run([PROGRAM, "completion", shell], text=True, capture_output=True, check=True).stdout


def in_bash(line, environment):
    """Readline's own: what it does with the words, the file names and the colons too. It is told to insert
    all that may stand there, and to print the line."""
    commands = (f"{script('bash')}\nbind 'set bell-style none'\n"
                'show() { printf "<<%s>>\\n" "$READLINE_LINE"; READLINE_LINE=; }\n'
                "bind '\"\\C-t\": insert-completions'\nbind -x '\"\\C-o\": show'\n")
    (RUN / "bashrc").write_text(commands)
    shown = typed(["bash", "--norc", "--rcfile", str(RUN / "bashrc"), "-i"], "source ~/bashrc\n", line + "\x14\x0f",
                  environment)
    return shown[len(line.rpartition(" ")[0]):].split()


def in_zsh(line, environment):
    """The matches that its completion system is given."""
    (RUN / "_sekisho").write_text(script("zsh"))
    commands = """fpath=(~ $fpath); autoload -Uz compinit; compinit -u -D
        compadd() { local -a hits; builtin compadd -O hits "$@"; matches+=($hits); builtin compadd "$@" }
        show() { local -a matches; zle complete-word; print -r -- "<<$matches>>"; BUFFER= }
        zle -C complete-word complete-word _main_complete; zle -N show; bindkey '^T' show; PS1='$ '
        """
    (RUN / "zshrc").write_text(commands)
    shown = typed(["zsh", "-f", "-i"], "source ~/zshrc\n", line + "\x14", environment)
    return [word.strip() for word in shown.split()]


def in_fish(line, environment):
    (RUN / "sekisho.fish").write_text(script("fish"))
    done = subprocess.run(["fish", "--no-config", "-c", f"source ~/sekisho.fish; complete -C {shlex.quote(line)}"], text=True,
                          capture_output=True, env=environment, timeout=60, cwd=RUN / "files")
    assert not done.stderr, done.stderr
    return [found.partition("\t")[0] for found in done.stdout.splitlines()]


def typed(command, first, keys, environment):
    """What stands between << and >> after the keys were typed at a terminal, where nothing else may appear."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(RUN / "files")
        os.execvpe(command[0], command, environment)
    output = ""

    def read_until(pattern):
        nonlocal output
        deadline = time.monotonic() + 60
        while not (found := re.search(pattern, output, re.S)):
            if time.monotonic() > deadline or not select.select([terminal], [], [], 60)[0]:
                raise AssertionError(f"{command[0]} after {keys!r}: {output!r}")
            output += os.read(terminal, 65536).decode()
        output = output[found.end():]
        return found

    try:
        os.write(terminal, (" " + first + " echo rea''dy\n").encode())
        read_until(r"\nready\r?\n")
        os.write(terminal, keys.encode())
        found = read_until(r"^(.*?)<<(.*?)>>")
        assert "error" not in found[1], found[1]
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", found[2])
    finally:
        os.close(terminal)
        os.kill(child, 9)
        os.waitpid(child, 0)


SHELLS = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}

# A line as far as it is typed, and all that may stand at its end.
EXPECTED = [
    ("sekisho pers", ["person"]),
    ("sekisho person s", ["set", "show"]),
    ("sekisho --json person li", ["list"]),
    ("sekisho person show ", ["ana", "ben"]),
    ("sekisho person show a", ["ana"]),
    ("sekisho device set ana-pc --st", ["--state"]),
    ("sekisho device set ana-pc --state ", ["active", "blocked"]),
    ("sekisho resource show ", ["echo", "internet", "web"]),
    ("sekisho grant remove ", ["ana-echo", "ana-web", "ben-echo"]),
    ("sekisho grant set ana-web --reason 'two words' --res", ["--resource"]),
    ("sekisho grant set ana-web --who person:b", ["person:ben"]),
    ("sekisho grant set ana-web --who role:", ["role:sales"]),
    ("sekisho grant set ana-web --resource w", ["web"]),
    ("sekisho policy can ana", ["ana", "ana-pc"]),
    ("sekisho policy apply of", ["office.toml"]),
    ("sekisho completion ", ["bash", "fish", "zsh"]),
    ("sekisho nonsense more ", []),
]


class Completion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.daemon.make_interface()
        cls.daemon.start()
        sekisho("policy apply -", input=POLICY + '[role.sales]\nname = "Sales: all"\n')
        sekisho(f"device add ana-pc --person ana --public-key {subprocess.getoutput('wg genkey | wg pubkey')}")
        (RUN / "files").mkdir()
        (RUN / "files/office.toml").write_text("")

    def compare(self, shell, line, expected, **more):
        with self.subTest(f"{shell}: {line}"):
            found = SHELLS[shell](line, ENVIRONMENT | more)
            begun, colon, _ = line.rpartition(" ")[2].rpartition(":")
            if shell == "bash":  # Readline leaves what stands before a colon alone
                found = [word if word.startswith(begun + colon) else begun + colon + word for word in found]
            self.assertEqual(sorted(set(found)), expected)

    def test_in_every_shell(self):
        for shell in SHELLS:
            for line, expected in EXPECTED:
                self.compare(shell, line, expected)

    def test_every_command_there_is(self):
        """As --help lists them."""
        commands = self.listed("")
        self.assertGreater(len(commands), 10)
        for shell in SHELLS:
            self.compare(shell, "sekisho ", commands)
        for group in commands:
            if below := self.listed(group):
                self.compare("fish", f"sekisho {group} ", below)

    @staticmethod
    def listed(group):
        _, _, below = sekisho(f"{group} --help").stdout.partition("Subcommands:")
        return sorted(re.findall(r"^  ([a-z][a-z-]*) ", below, re.M))

    def test_revisions(self):
        number = str(result("status")["revision"])
        self.assertIn(number, in_fish("sekisho policy rollback ", ENVIRONMENT))

    def test_without_a_gateway_there_are_no_names_and_no_noise(self):
        nowhere = {"SEKISHO_SOCKET": "/nonexistent.sock"}
        for shell in SHELLS:
            self.compare(shell, "sekisho person show ", [], **nowhere)
            self.compare(shell, "sekisho person s", ["set", "show"], **nowhere)
        self.assertEqual(self.ask("person show ", **nowhere), "")

    def test_a_gateway_that_does_not_answer_is_not_waited_for(self):
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(RUN / "silent.sock"))
            silent.listen()
            began = time.monotonic()
            self.assertEqual(self.ask("person show ", SEKISHO_SOCKET=str(RUN / "silent.sock")), "")
            self.assertGreater(time.monotonic() - began, 1)  # it was asked

    @staticmethod
    def ask(words, **more):
        done = subprocess.run([PROGRAM, "__complete", *words.split(" ")], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=ENVIRONMENT | more, timeout=60, check=True)
        return done.stdout

    def test_the_socket_that_was_typed_is_asked(self):
        for shell in SHELLS:
            self.compare(shell, f"sekisho --socket {SOCKET} person show ", ["ana", "ben"], SEKISHO_SOCKET="/nonexistent.sock")


if __name__ == "__main__":
    unittest.main(verbosity=2)
