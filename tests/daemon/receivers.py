"""Who receives notices: real SMTP servers with TLS and a real HTTPS webhook, with certificates made here."""

import email
import email.policy
import http.server
import json
import logging
import ssl
import sys
import threading
import warnings

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, where another python3 comes first
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from spaces import RUN, run

# It does not see that the connection is TLS from its first byte.
logging.getLogger("mail.log").setLevel(logging.ERROR)
warnings.simplefilter("ignore")

USER, PASSWORD, SECRET = "gateway", "pass word", "webhook secret"


def make_certificates(name):
    """A CA and a certificate by it for "mail.test" and 127.0.0.1; returns the CA's file."""
    folder = RUN / name
    folder.mkdir()
    run(f"""cd {folder} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
        -subj "/CN={name}" -keyout ca.key -out ca.pem 2>&1
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=mail.test -keyout key.pem -out csr.pem 2>&1
        openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem \
            -extfile <(echo subjectAltName=DNS:mail.test,IP:127.0.0.1) 2>&1""")
    return folder / "ca.pem"


def context_of(ca):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca.parent / "cert.pem", ca.parent / "key.pem")
    return context


class Mailbox:
    """A submission server: implicit TLS, or STARTTLS that it insists on; signing in is required."""

    def __init__(self, port, ca, starttls=False):
        self.port, self.context, self.starttls = port, context_of(ca), starttls
        self.mails, self.raw, self.answer, self.controller = [], [], None, None

    def start(self):
        def authenticate(server, session, envelope, mechanism, data):
            good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
            return AuthResult(success=good, handled=False if not good else True)
        extra = {"ssl_context": self.context} if not self.starttls else {}
        tls = {"tls_context": self.context, "require_starttls": True} if self.starttls else {}
        box = self

        class Server(Controller):
            def factory(self):
                return SMTP(box, hostname="mail.test", authenticator=authenticate, auth_required=True,
                            auth_require_tls=box.starttls, timeout=30, **tls)
        self.controller = Server(self, hostname="127.0.0.1", port=self.port, ready_timeout=10, **extra)
        self.controller.start()
        return self

    def stop(self):
        self.controller.stop()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.raw.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def texts(self):
        return [mail.get_content() for mail in self.mails]


class Hook:
    """An HTTPS server that keeps what is posted to it."""

    def __init__(self, port, ca):
        self.port, self.context, self.posts, self.answer, self.server = port, context_of(ca), [], 204, None

    def start(self):
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.answer < 300:
                    hook.posts.append((dict(self.headers), body, json.loads(body)))
                self.send_response(hook.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                connection, address = self.socket.accept()
                return hook.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

            def handle_error(self, *_):
                pass
        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
