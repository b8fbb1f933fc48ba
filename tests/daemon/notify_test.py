#!/usr/bin/env python3
"""What people outside are told: mail and webhook, over TLS, whatever is down, full, slow or hostile."""

import hashlib
import hmac
import json
import shutil
import signal
import subprocess
import time
import unittest

from spaces import RUN, alone, run, wait_until

if __name__ == "__main__":
    alone()

from gateway import (GOOD_CONFIG, NOT_FOUND, OK, PROGRAMS, USAGE, Daemon, log_end, records, result, sekisho)
from receivers import PASSWORD, SECRET, USER, Hook, Mailbox, make_certificates

WITHIN_S = 30
OUTBOX = RUN / "outbox"
NOTIFY = RUN / "notify.toml"
NOTIFY_LOG = RUN / "notify.log"
SUBMISSION, SUBMISSIONS, HOOK = 587, 465, 8443

GOOD = make_certificates("good")
WRONG = make_certificates("wrong")


def secret_file(name, text):
    path = RUN / name
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def mail_section(name, port, ca=GOOD, server="127.0.0.1"):
    return (f'[mail.{name}]\nserver = "{server}"\nport = {port}\nuser = "{USER}"\nfrom = "gate@example.com"\n'
            f'to = "{name}@example.com"\nca_file = "{ca}"\npassword_file = "{secret_file("password", PASSWORD)}"\n')


def hook_section(name="chat", ca=GOOD):
    return (f'[webhook.{name}]\nurl = "https://127.0.0.1:{HOOK}/hooks/s3cret"\nca_file = "{ca}"\n'
            f'secret_file = "{secret_file("hook-secret", SECRET)}"\n')


def notice_of(number, **members):
    identity = f"20261128T00{number // 60:02d}{number % 60:02d}.000Z-{number:016x}"
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"id": identity, "time": now, "gateway": "test", "kind": "flag", "severity": "high", "object": "device.x",
            "actor": "clamav", "reason": f"storm {number}", "facts": {}} | members


def put(notice):
    aside = OUTBOX / (".new-" + notice["id"])
    aside.write_text(json.dumps(notice, ensure_ascii=False))
    aside.rename(OUTBOX / (notice["id"] + ".json"))


def waiting():
    return sorted(path.name for path in OUTBOX.glob("*Z-*.json"))


def notify_log():
    return NOTIFY_LOG.read_text() if NOTIFY_LOG.exists() else ""


class Notify:
    """The real sekisho-notify, as a user without rights."""

    def __init__(self, config):
        NOTIFY.write_text(f'[notify]\noutbox = "{OUTBOX}"\n' + config)
        self.process = None

    def start(self):
        with NOTIFY_LOG.open("a") as log:
            self.process = subprocess.Popen([PROGRAMS / "sekisho-notify", "--config", NOTIFY], stderr=log)
        time.sleep(0.1)
        return self

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=10)


class Notices(unittest.TestCase):
    def setUp(self):
        shutil.rmtree(OUTBOX, ignore_errors=True)
        OUTBOX.mkdir(mode=0o770)
        NOTIFY_LOG.unlink(missing_ok=True)
        self.tls = self.serve(Mailbox(SUBMISSIONS, GOOD))
        self.starttls = self.serve(Mailbox(SUBMISSION, GOOD, starttls=True))
        self.hook = self.serve(Hook(HOOK, GOOD))

    def serve(self, server):
        server.start()
        server.running = True
        self.addCleanup(lambda: server.running and server.stop())
        return server

    def notify(self, config):
        notify = Notify(config).start()
        self.addCleanup(notify.end)
        return notify

    def wait(self, condition, what, seconds=WITHIN_S):
        return wait_until(condition, seconds, lambda: f"{what}; waiting: {waiting()}; log:\n{notify_log()[-2000:]}")

    def test_mail_by_both_kinds_of_tls_and_a_signed_webhook(self):
        self.notify('language = "ja"\n' + mail_section("tls", SUBMISSIONS) + mail_section("starttls", SUBMISSION) + hook_section())
        notice = notice_of(1, object="端末 tanaka", kind="cut")
        put(notice)
        self.wait(lambda: self.tls.mails and self.starttls.mails and self.hook.posts, "all three")
        for box, name in (self.tls, "tls"), (self.starttls, "starttls"):
            sender, recipients, _ = box.raw[0]
            self.assertEqual((sender, recipients), ("gate@example.com", [f"{name}@example.com"]))
            self.assertEqual(box.mails[0]["Subject"], "[test] 通信を遮断しました: 端末 tanaka")
            self.assertEqual(box.mails[0]["Message-ID"], f"<{notice['id']}@example.com>")
            self.assertIn("理由: storm 1\n", box.texts()[0].replace("\r\n", "\n"))
        headers, body, posted = self.hook.posts[0]
        self.assertEqual(headers["Idempotency-Key"], notice["id"])
        self.assertEqual(headers["Sekisho-Signature"], "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest())
        self.assertEqual(posted["notices"], [notice])
        self.assertIn("端末 tanaka", posted["text"])
        self.wait(lambda: not waiting(), "an empty outbox")
        self.assertEqual(list((OUTBOX / "marks").iterdir()), [])

    def test_a_wrong_certificate_gets_nothing(self):
        notify = self.notify(mail_section("tls", SUBMISSIONS, WRONG) + mail_section("starttls", SUBMISSION, WRONG) + hook_section(ca=WRONG))
        put(notice_of(1))
        self.wait(lambda: notify_log().count("certificate") >= 3, "three refusals")
        self.assertEqual((self.tls.raw, self.starttls.raw, self.hook.posts), ([], [], []))
        self.assertNotIn("s3cret", notify_log())
        notify.end()
        # The right authority, the wrong name.
        with open("/etc/hosts") as hosts:
            self.assertNotIn("localhost.test", hosts.read())
        notify = self.notify(mail_section("tls", SUBMISSIONS, server="localhost"))
        self.wait(lambda: "localhost" in notify_log(), "a refusal of the name")
        self.assertEqual(self.tls.raw, [])
        notify.end()
        # The control: with the right ones all is delivered.
        self.notify(mail_section("tls", SUBMISSIONS) + mail_section("starttls", SUBMISSION) + hook_section())
        self.wait(lambda: self.tls.mails and self.starttls.mails and self.hook.posts, "all three")

    def test_without_starttls_nothing_is_said(self):
        self.starttls.stop()
        self.starttls.running = False
        plain = Mailbox(SUBMISSION, GOOD)
        plain.starttls = True  # no TLS on connecting
        from aiosmtpd.controller import Controller
        controller = Controller(plain, hostname="127.0.0.1", port=SUBMISSION)
        controller.start()
        self.addCleanup(controller.stop)
        self.notify(mail_section("starttls", SUBMISSION))
        put(notice_of(1))
        self.wait(lambda: "not delivered" in notify_log(), "a refusal")
        self.assertEqual(plain.raw, [])

    def test_a_server_that_is_down_delays_no_other_and_gets_it_later(self):
        self.tls.stop()
        self.tls.running = False
        self.notify(mail_section("tls", SUBMISSIONS) + hook_section())
        put(notice_of(1))
        self.wait(lambda: self.hook.posts, "the webhook")
        self.wait(lambda: "not delivered" in notify_log(), "a failed attempt")
        time.sleep(1)
        self.assertEqual(len(waiting()), 1)
        self.tls.start()
        self.tls.running = True
        print(f"server back: delivered after {self.wait(lambda: self.tls.mails, 'the mail'):.1f} s", flush=True)
        self.wait(lambda: not waiting(), "an empty outbox")
        self.assertEqual(len(self.hook.posts), 1, "the webhook got it again")

    def test_kill_9_loses_nothing_and_repeats_under_the_same_id(self):
        config = mail_section("tls", SUBMISSIONS) + hook_section()
        self.tls.answer = "451 later"
        notify = self.notify("most_per_minute = 60\n" + config)
        for number in range(30):
            put(notice_of(number))
            if number % 6 == 5:
                time.sleep(0.15)
                notify.end(signal.SIGKILL)
                notify.start()
        self.tls.answer = None
        notify.end(signal.SIGKILL)
        notify.start()
        self.wait(lambda: not waiting(), "an empty outbox", 60)
        wanted = {notice_of(number)["id"] for number in range(30)}
        posted = [one["id"] for _, _, post in self.hook.posts for one in post["notices"]]
        self.assertEqual(set(posted), wanted)
        text = "".join(self.tls.texts())
        mails = [mail["Message-ID"] for mail in self.tls.mails]
        for number in range(30):
            self.assertTrue(f"storm {number}" in text, number)
        print(f"30 notices, 6 kills: {len(self.hook.posts)} posts, {len(posted) - 30} repeated; {len(mails)} mails", flush=True)

    def test_what_an_attacker_names_is_no_header(self):
        self.notify(mail_section("tls", SUBMISSIONS) + hook_section())
        for number, evil in enumerate(["x =?UTF-8?Q?=0D=0ABcc:_evil@example.com?=", "x%0d%0aBcc: evil@example.com", ".", "'; rm -rf / #"]):
            put(notice_of(number, object=evil))
        (OUTBOX / "20261128T000139.000Z-0000000000000063.json").write_text(
            json.dumps(notice_of(99, object="x\r\nBcc: evil@example.com")))
        (OUTBOX / "../outbox/foreign").write_text("x")
        self.wait(lambda: len(self.tls.mails) == 4, "four mails")
        for mail, (_, recipients, content) in zip(self.tls.mails, self.tls.raw):
            self.assertEqual(recipients, ["tls@example.com"])
            self.assertEqual(sorted(mail.keys()), sorted(["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version",
                                                          "Content-Type", "Content-Transfer-Encoding"]))
            self.assertNotIn(b"evil", content.split(b"\r\n\r\n")[0])
        self.wait(lambda: len(list((OUTBOX / "bad").iterdir())) == 2, "two files put aside")
        self.wait(lambda: json.loads((OUTBOX / "status.json").read_text())["bad"] == 2, "their count")

    def test_a_storm_is_a_few_mails_and_the_first_goes_at_once(self):
        self.notify("most_per_minute = 3\n" + mail_section("tls", SUBMISSIONS))
        for number in range(300):
            put(notice_of(number))
        self.wait(lambda: len(self.tls.mails) == 3, "three mails")
        self.assertIn("storm 0\n", self.tls.texts()[0].replace("\r\n", "\n"))
        time.sleep(3)
        self.assertEqual(len(self.tls.mails), 3)
        print("a storm of 300:", [mail["Subject"] for mail in self.tls.mails][2], f"; {len(waiting())} wait", flush=True)
        self.assertEqual(2 + int(self.tls.mails[2]["Subject"].split()[1]) + len(waiting()), 300)
        self.assertIn("notices: A device was reported", self.tls.mails[2]["Subject"])

    def test_one_process_and_a_whole_configuration(self):
        notify = self.notify(hook_section())
        again = subprocess.run([PROGRAMS / "sekisho-notify", "--config", NOTIFY], text=True, capture_output=True, timeout=10)
        self.assertEqual((again.returncode, "another sekisho-notify has it" in again.stderr), (1, True), again.stderr)
        self.assertEqual(notify.end(), 0)
        check = [PROGRAMS / "sekisho-notify", "--check", "--config", NOTIFY]
        self.assertEqual(subprocess.run(check, timeout=10).returncode, OK)
        NOTIFY.write_text('[webhook.chat]\nurl = "http://example.com"\n')
        refused = subprocess.run(check, text=True, capture_output=True, timeout=10)
        self.assertEqual(refused.returncode, USAGE)
        self.assertIn(f"{NOTIFY}:2:7: webhook.chat.url: is not an https:// address", refused.stderr)


class WithTheDaemon(Notices):
    """The real sekishod puts notices in, and says what became of them."""

    @classmethod
    def setUpClass(cls):
        run("ip address add 192.0.2.1/32 dev lo")
        cls.daemon = Daemon(GOOD_CONFIG + f'outbox = "{OUTBOX}"\n')
        cls.daemon.make_interface()
        cls.daemon.start()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.end()

    def state(self):
        return result("status")["notify"]

    def finding(self):
        return next(one for one in result("doctor", expect=None)["findings"] if one["subject"] == "notices")

    def drift(self):
        run("nft add rule inet sekisho to_gateway accept")

    def test_a_drift_is_in_the_mailbox_within_30_s(self):
        self.notify(mail_section("tls", SUBMISSIONS) + mail_section("starttls", SUBMISSION) + hook_section())
        began = time.monotonic()
        self.drift()
        self.wait(lambda: self.tls.mails and self.starttls.mails and self.hook.posts, "mail and webhook")
        took = time.monotonic() - began
        print(f"a drift: mail (465, 587) and webhook after {took:.2f} s", flush=True)
        self.assertLess(took, WITHIN_S)
        self.assertEqual(self.tls.mails[0]["Subject"], "[test] The kernel was changed from outside: kernel")
        self.assertIn("changed by nft (pid", self.tls.texts()[0])
        self.assertEqual(self.hook.posts[0][2]["notices"][0]["facts"]["result"], "repaired")
        self.wait(lambda: self.state().get("delivered") == 3, "the count in status")
        self.assertEqual(self.state()["state"], "working")
        self.assertTrue(self.finding()["good"], self.finding())

    def test_the_test_notice(self):
        self.notify(hook_section())
        answer = result("notify test")
        self.wait(lambda: self.hook.posts, "the test notice")
        self.assertEqual(self.hook.posts[0][2]["id"], answer["notice"])
        self.assertEqual(self.hook.posts[0][2]["notices"][0]["kind"], "test")
        self.assertEqual(records("notify.test", 5)[0]["after"], answer["notice"])

    def test_without_an_outbox_it_is_not_set_up(self):
        shutil.rmtree(OUTBOX)
        wait_until(lambda: self.state() == {"state": "not set up"}, 10, "status to say so")
        self.assertIn("there is no outbox", sekisho("notify test", NOT_FOUND).stderr)
        self.drift()
        self.assertTrue(self.finding()["good"])

    def test_what_is_refused_for_good_is_raised(self):
        notify = self.notify(mail_section("tls", SUBMISSIONS) + hook_section())
        self.wait(lambda: self.state().get("state") == "working", "the report to be seen")
        time.sleep(1)
        self.tls.answer = "550 5.1.1 no such user here"
        sent = result("notify test")["notice"]
        self.wait(lambda: self.state().get("failed") == 1, "the failure in status")
        self.assertIn("550 5.1.1 no such user here", self.state()["last_error"])
        found = self.finding()
        self.assertFalse(found["good"])
        self.assertIn("could not be delivered: mail.tls", found["finding"])
        raised = records("notify", 20)[0]
        self.assertIn("could not be delivered", raised["result"])
        self.assertIn("550 5.1.1 no such user here", raised["reason"])
        # The way that is open tells of the one that is not.
        self.wait(lambda: "failed" in [post["notices"][0]["kind"] for _, _, post in self.hook.posts], "a word by the webhook")
        # Mended and put back, it goes where it failed, and there alone.
        self.tls.answer = None
        posts = len(self.hook.posts)
        for path in (OUTBOX / "failed").glob("*.json"):
            path.rename(OUTBOX / path.name)
        self.wait(lambda: any(sent in mail["Message-ID"] for mail in self.tls.mails), "the mail")
        self.wait(lambda: not waiting(), "an empty outbox")
        self.assertEqual(len(self.hook.posts), posts)
        self.wait(lambda: self.finding()["good"], "doctor to be content")

    def test_a_full_disk_is_told(self):
        run(f"mount -t tmpfs -o size=64k,mode=0770 tmpfs {OUTBOX}")
        self.addCleanup(run, f"umount -l {OUTBOX}")
        self.notify(hook_section())
        result("notify test")  # the control: there is room
        self.wait(lambda: self.hook.posts and not waiting(), "a test notice")
        run(f"head -c 1M /dev/zero >{OUTBOX}/.filler", check=False)
        refused = sekisho("notify test", 1)
        self.assertIn("No space left on device", refused.stderr)
        self.drift()
        wait_until(lambda: "nobody is told" in log_end(100), 10, "the log to say so")
        wait_until(lambda: self.state()["state"] == "hindered", 10, "status to say so")
        wait_until(lambda: self.state()["lost"] == 2, 10, "the count of both")
        self.assertIn("No space left on device", self.finding()["finding"])
        wait_until(lambda: any("No space left" in row["result"] for row in records("notify", 20)), 15, "the record to say so")
        (OUTBOX / ".filler").unlink()
        result("notify test")
        wait_until(lambda: self.state()["state"] == "working", 10, "an end of it")
        self.wait(lambda: len(self.hook.posts) >= 2, "the next one")

    def test_a_process_that_does_not_run_is_told(self):
        self.notify(hook_section()).end(signal.SIGKILL)
        began = time.monotonic()
        wait_until(lambda: not self.finding()["good"], 90, "doctor to say so")
        self.assertIn("sekisho-notify is not running", self.finding()["finding"])
        self.assertGreater(time.monotonic() - began, 30, "a restart takes a while")
        wait_until(lambda: "sekisho-notify is not running" in records("notify", 5)[0]["result"], 15, "the record to say so")
        self.notify(hook_section())
        wait_until(lambda: self.finding()["good"], 10, "doctor to be content")


# Each test once.
for name in [name for name in vars(Notices) if name.startswith("test_")]:
    setattr(WithTheDaemon, name, None)

if __name__ == "__main__":
    unittest.main(verbosity=2)
