"""HTTP beside gRPC: what monitors ask for, TLS by the same files, and what is refused at the start."""

import http.client
import signal
import ssl
import unittest

from case import eventually, new_token, run
from certificates import Authority, tls_flags
from client import Client
from harness import Server
from ports import free_port

TIMEOUT_S = 20


class HttpTest(unittest.TestCase):
    def server(self, *flags: str) -> Server:
        server = Server("--http_address=127.0.0.1:0", *flags)
        self.addCleanup(server.close)
        return server

    def get(self, address: str, path: str, method="GET", context=None):
        """Status and body."""
        connection = (http.client.HTTPConnection(address, timeout=TIMEOUT_S) if context is None else
                      http.client.HTTPSConnection(address, timeout=TIMEOUT_S, context=context))
        try:
            connection.request(method, path)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()

    def test_monitors_find_metrics_and_health_on_both_addresses(self):
        metrics_address = f"127.0.0.1:{free_port()}"
        server = self.server(f"--metrics_address={metrics_address}").start()
        client = Client(server, "alice")
        self.addCleanup(client.close)
        token = new_token()
        self.assertTrue(client.call("RunInstances", run(token)).ok)
        self.assertTrue(client.call("RunInstances", run(token)).ok)
        for address in (server.http_address, metrics_address):
            status, text = self.get(address, "/metrics")
            self.assertEqual(status, 200)
            for result in ("executed", "replayed"):
                self.assertIn(f'hapax_calls_total{{method="hapax.compute.v1.Compute/RunInstances",result="{result}"}} 1', text)
            for path in ("/healthz", "/readyz"):
                self.assertEqual(self.get(address, path), (200, "ok\n"))
            self.assertEqual(self.get(address, "/metrics", "POST")[0], 405)
            self.assertEqual(self.get(address, "/nothing")[0], 404)

    def test_tls_is_by_the_files_of_grpc_and_is_reloaded_with_them(self):
        server = self.server()
        ca, clients = Authority(server.dir, "ca"), Authority(server.dir, "client_ca")
        served, own = ca.issue_server(), clients.issue("alice", "/CN=alice")
        server.flags += ("--auth=mtls", *tls_flags(served, clients))
        server.start()

        def serial_number() -> str:
            context = ssl.create_default_context(cafile=str(ca.cert))
            context.load_cert_chain(str(own.cert), str(own.key))
            connection = http.client.HTTPSConnection(server.http_address, timeout=TIMEOUT_S, context=context)
            try:
                connection.request("GET", "/healthz")
                self.assertEqual(connection.getresponse().status, 200)
                return connection.sock.getpeercert()["serialNumber"]
            finally:
                connection.close()

        before = serial_number()
        stranger = ssl.create_default_context(cafile=str(ca.cert))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.get(server.http_address, "/healthz", context=stranger)
        with self.assertRaises((http.client.HTTPException, ConnectionError)):
            self.get(server.http_address, "/healthz")  # Without TLS.
        renewed = ca.issue_server("renewed")
        served.key.write_text(renewed.key.read_text())
        served.cert.write_text(renewed.cert.read_text())
        self.assertEqual(serial_number(), before)
        server.signal(signal.SIGHUP)
        eventually(lambda: serial_number() != before, "the new certificate is shown")

    def test_addresses_that_cannot_be_served_are_named(self):
        taken = self.server().start().http_address
        for flag, says in ((f"--http_address={taken}", "Address already in use"), ("--http_address=8080", "must be HOST:PORT"),
                           ("--http_address=0.0.0.0:0", "must be a loopback address with --auth=none"),
                           (f"--metrics_address={taken}", "Address already in use")):
            with self.subTest(flag):
                refused = self.server(flag).refused_start()
                self.assertIn(flag, refused)
                self.assertIn(says, refused)


if __name__ == "__main__":
    unittest.main()
