"""HTTPS as an office has it: a real TLS server, and clients that check its certificate."""

import contextlib
import pathlib
import socket
import ssl
import threading

from spaces import RUN, run


class HttpsServer:
    """Answers at port 443 of these addresses of a host; counts the connections that came at all."""

    def __init__(self, host, addresses):
        self.accepted = 0
        self.certificate = RUN / "office.pem"
        key = RUN / "office.key"
        names = ",".join(f"IP:{address}" for address in addresses)
        run(f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=office "
            f"-addext subjectAltName={names} -keyout {key} -out {self.certificate}")
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        with host:
            listener = socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True)
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener):
        while True:
            connection, _ = listener.accept()
            self.accepted += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        connection.settimeout(5)
        with contextlib.suppress(OSError), self.context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(4096)
            stream.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\noffice")


def fetch(host, address, server, source=None, timeout=1):
    """Whether the page came, whole and from the right server."""
    try:
        with host:
            plain = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        with plain:
            plain.settimeout(timeout)
            if source:
                plain.bind((source, 0))
            plain.connect((address, 443))
            context = ssl.create_default_context(cafile=str(pathlib.Path(server.certificate)))
            with context.wrap_socket(plain, server_hostname=address) as stream:
                stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b""
                while data := stream.recv(4096):
                    answer += data
                return answer.endswith(b"office")
    except OSError:
        return False


def fetched(host, addresses, server):
    """From which of the addresses the page came; all are asked at once."""
    came = set()

    def ask(address):
        if fetch(host, address, server):
            came.add(address)
    threads = [threading.Thread(target=ask, args=(address,)) for address in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [address for address in addresses if address in came]
