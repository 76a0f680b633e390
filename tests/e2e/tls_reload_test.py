"""SIGHUP has the TLS files read again: new connections see what is new, those that exist go on."""

import signal
import socket
import ssl
import unittest

from case import ServerCase, eventually, new_token, run
from certificates import WEAK_KEY, Authority, tls_flags
from grpc import StatusCode
from harness import Server

CALLER = "URI:spiffe://example.org/tenant/alice"


class ReloadCase(ServerCase):
    """A server of its own for each test."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.ca = Authority(self.server.dir, "ca")
        self.served = self.ca.issue_server()
        self.client_ca = Authority(self.server.dir, "client_ca")
        self.own = self.client_ca.issue("alice", "/CN=x", CALLER)
        self.server.flags = ("--auth=mtls", *tls_flags(self.served, self.client_ca))
        self.server.start()

    def connect(self, own=None):
        return self.client_of(None, credentials=self.ca.credentials(own or self.own))

    def serial_number(self) -> str:
        """Of the certificate that a new connection is shown."""
        context = ssl.create_default_context(cafile=str(self.ca.cert))
        context.set_alpn_protocols(["h2"])
        context.load_cert_chain(str(self.own.cert), str(self.own.key))
        host, port = self.server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=30) as bare:
            with context.wrap_socket(bare, server_hostname=host) as connection:
                return connection.getpeercert()["serialNumber"]

    def reload(self, says: str) -> str:
        """Returns what the server then logged, once it said that."""
        before = len(self.server.stderr)
        self.server.signal(signal.SIGHUP)
        eventually(lambda: says in self.server.stderr[before:], says)
        return self.server.stderr[before:]

    def replace(self, own, by) -> None:
        own.key.write_text(by.key.read_text())
        own.cert.write_text(by.cert.read_text())


class ReloadTest(ReloadCase):
    def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on(self):
        old, token, before = self.connect(), new_token(), self.serial_number()
        first = self.assertOutcome(old.call("RunInstances", run(token)), "executed")
        self.replace(self.served, self.ca.issue_server("renewed"))
        self.assertEqual(self.serial_number(), before)  # Nobody said so yet.
        self.reload("reload: done")
        self.assertNotEqual(self.serial_number(), before)
        self.assertReplays(old.call("RunInstances", run(token)), first)
        self.assertReplays(self.connect().call("RunInstances", run(token)), first)
        self.assertEqual(self.server.starts, 1)

    def test_connections_that_exist_outlive_an_authority_that_is_replaced(self):
        old = self.connect()
        self.assertTrue(old.call("DescribeInstances", b"").ok)
        renewed = Authority(self.server.dir, "renewed_ca")
        self.replace(self.client_ca, renewed)
        self.reload("reload: done")
        self.assertTrue(old.call("DescribeInstances", b"").ok)
        self.assertEqual(self.connect().call("DescribeInstances", b"").code, StatusCode.UNAVAILABLE)
        own = renewed.issue("alice2", "/CN=x", CALLER)
        self.assertTrue(self.connect(own).call("DescribeInstances", b"").ok)

    def test_files_that_do_not_fit_are_named_and_what_was_read_before_stays(self):
        before, key, cert = self.serial_number(), self.served.key.read_text(), self.served.cert.read_text()
        other = self.ca.issue_server("other")
        for file, text, says in ((self.served.key, other.key.read_text(), "is not the key"),
                                 (self.served.key, key[:100], "no PEM private key"), (self.served.key, "", "is empty"),
                                 (self.served.cert, other.cert.read_text(), "is not the key"),
                                 (self.served.cert, cert[:-30], "not well-formed"),
                                 (self.client_ca.cert, "none", "no PEM certificate")):
            with self.subTest(file=file.name, says=says):
                sound = file.read_text()
                file.write_text(text)
                logged = self.reload("stays in use")
                self.assertIn(says, logged)
                self.assertNotIn("reload: done", logged)
                for line in self.served.key_lines() + other.key_lines():
                    self.assertNotIn(line, logged)
                self.assertEqual(self.serial_number(), before)
                self.assertTrue(self.connect().call("DescribeInstances", b"").ok)
                file.write_text(sound)
        self.served.key.chmod(0o644)
        self.assertIn("chmod 600", self.reload("stays in use"))
        self.served.key.chmod(0o600)
        self.reload("reload: done")
        self.assertEqual(self.serial_number(), before)

    def test_a_certificate_that_no_handshake_works_with_does_not_replace_one_that_is_in_use(self):
        before = self.serial_number()
        sound = (self.served.key.read_text(), self.served.cert.read_text())
        for name, more, says in (("weak", {"new_key": WEAK_KEY}, "ee key too small"),
                                 ("expired", {"days": -1}, "which is not now")):
            with self.subTest(name):
                self.replace(self.served, self.ca.issue_server(name, **more))
                logged = self.reload("stays in use")
                self.assertIn(says, logged)
                self.assertIn(before.lstrip("0"), logged)
                self.assertNotIn("reload: done", logged)
                self.assertEqual(self.serial_number(), before)
                self.assertTrue(self.connect().call("DescribeInstances", b"").ok)
        for file, text in zip((self.served.key, self.served.cert), sound):
            file.write_text(text)
        self.assertIn(before.lstrip("0"), self.reload("reload: done"))

    def test_sighup_before_anything_changed_disturbs_nobody(self):
        client = self.connect()
        for _ in range(20):
            self.server.signal(signal.SIGHUP)
            self.assertTrue(client.call("DescribeInstances", b"").ok)
            self.assertTrue(self.connect().call("DescribeInstances", b"").ok)
        self.server.stop()  # With exit code 0.


if __name__ == "__main__":
    unittest.main()
