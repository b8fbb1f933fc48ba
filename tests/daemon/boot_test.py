#!/usr/bin/env python3
"""Order of boot: rules, then peers, then forwarding. A tunnel that refuses peers shows each step."""

import os
import pathlib
import socket
import threading
import time
import unittest

from spaces import alone, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import POLICY, Daemon, log_end, sekisho

KEY = run("wg genkey | wg pubkey").strip()
TUNNEL = pathlib.Path("/run/wireguard/wg0.sock")
FORWARDING = [pathlib.Path("/proc/sys/net/ipv4/ip_forward"), pathlib.Path("/proc/sys/net/ipv6/conf/all/forwarding")]


def forwards():
    return [path.read_text().strip() for path in FORWARDING]


def rules_stand():
    return "chain forward" in run("nft list table inet sekisho", check=False)


class RefusingTunnel:
    """Speaks WireGuard's userspace protocol (wireguard.com/xplatform) and refuses every peer. Notes what
    stood when it was asked."""

    def __init__(self):
        self.seen = []
        self.key = ""
        run("ip tuntap add dev wg0 mode tun")
        TUNNEL.parent.mkdir(exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(TUNNEL))
        self.socket.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            with caller, caller.makefile("rw") as lines:
                request = list(iter(lambda: lines.readline().strip(), ""))
                lines.write(self.answer(request))
                lines.flush()

    def answer(self, request):
        if request[0] == "get=1":
            return f"{self.key}listen_port=51820\nerrno=0\n\n"
        if any(line.startswith("public_key=") for line in request):
            self.seen.append((rules_stand(), forwards()))
            return "errno=5\n\n"
        self.key = "".join(line + "\n" for line in request if line.startswith("private_key="))
        return "errno=0\n\n"

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        os.unlink(TUNNEL)
        run("ip link del wg0")


class Boot(unittest.TestCase):
    def test_rules_then_peers_then_forwarding(self):
        daemon = Daemon()
        daemon.make_interface()
        daemon.start()
        sekisho("policy apply -", input=POLICY)
        sekisho(f"device add ana-laptop --person ana --public-key {KEY}")
        self.assertEqual(forwards(), ["1", "1"])
        daemon.end()
        daemon.wireguard.terminate()
        daemon.wireguard.wait()
        # As a box is when it starts: no rules, no forwarding.
        run("nft flush ruleset; sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
        TUNNEL.unlink(missing_ok=True)

        tunnel = RefusingTunnel()
        daemon.start(ready=False)
        wait_until(lambda: len(tunnel.seen) >= 2, 30, log_end)
        time.sleep(1)
        for rules, forwarding in tunnel.seen:
            self.assertTrue(rules, "a peer came before the rules")
            self.assertEqual(forwarding, ["0", "0"], "forwarding was turned on before the peers stood")
        self.assertEqual(forwards(), ["0", "0"])
        daemon.end()
        tunnel.close()

        # The control: with a tunnel that takes peers, all three come.
        daemon.make_interface()
        daemon.start()
        self.assertTrue(rules_stand())
        self.assertIn(KEY, run("wg show wg0 peers"))
        self.assertEqual(forwards(), ["1", "1"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
