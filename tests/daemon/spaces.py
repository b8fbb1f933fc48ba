"""Network namespaces that end with the test, and what is done inside them."""

import contextlib
import ctypes
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
RUN = pathlib.Path("/run/test")  # on a tmpfs that only this test sees


def alone():
    """Runs the program again in namespaces of its own. Its network is the gateway's; whatever it
    mounts and starts ends with it, however it ends."""
    if os.environ.get("SEKISHO_TEST_ALONE") != "yes":
        if os.geteuid() != 0:
            sys.exit("needs root: it makes network namespaces")
        os.execvpe("unshare", ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                               sys.executable, "-W", "ignore::ResourceWarning", *sys.argv], os.environ | {"SEKISHO_TEST_ALONE": "yes"})
    run("mount -t tmpfs tmpfs /run")
    RUN.mkdir()
    run("ip link set lo up")


def run(command, check=True):
    """A shell command; what it prints on either stream."""
    done = subprocess.run(command, shell=True, executable="/bin/bash", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: exit code {done.returncode}: {done.stdout}")
    return done.stdout


def wait_until(condition, seconds, what, pause=0.02):
    """Returns how long it took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        time.sleep(pause)
    return time.monotonic() - began


class Host:
    """A machine beside the gateway: a network namespace, entered by `with` for this thread."""

    def __init__(self):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        self.space = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        run("ip link set lo up")
        self.before = before
        self._go(before)

    @staticmethod
    def _go(space):
        if libc.setns(space, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self._go(self.space)

    def __exit__(self, *_):
        self._go(self.before)

    def connect(self, ours, theirs, our_addresses, their_addresses):
        """A veth pair: `ours` on the gateway, `theirs` here."""
        run(f"ip link add {ours} type veth peer name {theirs} netns /proc/self/fd/{self.space}".replace(
            "/proc/self", f"/proc/{os.getpid()}"))
        for name, addresses in (ours, our_addresses), (theirs, their_addresses):
            with self if name == theirs else contextlib.nullcontext():
                for address in addresses:
                    run(f"ip address add {address} dev {name}" + (" nodad" if ":" in address else ""))
                run(f"ip link set {name} up")


class EchoServer:
    """Answers on TCP ports with what it was sent, v4 and v6."""

    def __init__(self, host, ports):
        with host:
            listeners = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
                         for port in ports]
        for listener in listeners:
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener):
        while True:
            threading.Thread(target=self._echo, args=(listener.accept()[0],), daemon=True).start()

    @staticmethod
    def _echo(connection):
        with contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)


class Flow:
    """A TCP connection from a host, as its program sees it."""

    def __init__(self, host, address, port, timeout=5, source=None):
        with host:
            self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(timeout)
        self.socket.connect((address, port))

    def says(self, word=b"hello"):
        """Sends and waits for the echo; raises what a program would see."""
        self.socket.sendall(word)
        answer = b""
        while len(answer) < len(word):
            more = self.socket.recv(len(word) - len(answer))
            if not more:
                raise ConnectionResetError("closed")
            answer += more
        return answer == word

    def close(self):
        self.socket.close()


class Stream(threading.Thread):
    """A flow that never stops talking, and what befell it."""

    def __init__(self, host, address, port, timeout=10):
        super().__init__(daemon=True)
        self.flow = Flow(host, address, port, timeout)
        self.rounds, self.longest, self.failure, self.stopping = 0, 0.0, None, False
        self.start()

    def run(self):
        try:
            while not self.stopping:
                began = time.monotonic()
                self.flow.says(b"x" * 1000)
                self.longest = max(self.longest, time.monotonic() - began)
                self.rounds += 1
                time.sleep(0.005)
        except OSError as error:
            self.failure = error

    def stop(self):
        self.stopping = True
        self.join()


def attempt(host, address, port, timeout=5):
    """A fresh connection: "passes", "refused" or "silent"."""
    try:
        flow = Flow(host, address, port, timeout)
    except TimeoutError:
        return "silent"
    except OSError:
        return "refused"
    try:
        return "passes" if flow.says() else "refused"
    except TimeoutError:
        return "silent"
    except OSError:
        return "refused"
    finally:
        flow.close()
