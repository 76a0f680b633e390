"""Connections that bring nothing, or only half of something, are closed in their time, and those who call are served
meanwhile and afterwards."""

import resource
import socket
import unittest

import raw_http2
from case import ServerCase, eventually, new_token, run
from client import SERVICE
from harness import Server

ESTABLISHED, CLOSE_WAIT = "01", "08"
CONNECTIONS = 50

HALF_A_PREFACE = raw_http2.PREFACE[:10]
SETTLED = raw_http2.PREFACE + raw_http2.frame(raw_http2.SETTINGS, 0, 0, b"")
HEADERS = SETTLED + raw_http2.headers(SERVICE + "RunInstances", ())
HALF_A_REQUEST = HEADERS + raw_http2.message(run().SerializeToString(), missing=100)


def held_by(server: Server) -> int:
    """How many connections of clients the server's port has that are not closed on both sides."""
    port = f"{int(server.address.split(':')[1]):04X}"
    with open("/proc/net/tcp") as table:
        rows = [row.split() for row in table.readlines()[1:]]
    return sum(row[1].endswith(":" + port) and row[3] in (ESTABLISHED, CLOSE_WAIT) for row in rows)


class ConnectionCase(ServerCase):
    def connect(self, sent: bytes = b"") -> socket.socket:
        host, port = self.server.address.split(":")
        connection = socket.create_connection((host, int(port)), timeout=raw_http2.TIMEOUT_S)
        self.addCleanup(connection.close)
        connection.sendall(sent)
        return connection

    def assertServes(self) -> None:
        """On a new connection."""
        self.assertOutcome(self.client_of(self.tenant).call("RunInstances", run(new_token())), "executed")


class SilentTest(ConnectionCase):
    flags = ("--handshake_timeout=1s", "--keepalive_time=1s", "--keepalive_timeout=1s", "--max_connection_idle=1s")

    def assertAllAreClosed(self, sent: bytes) -> None:
        """Connections that have sent this and no more are closed by the server."""
        # Not kept open by this side's answers: it makes none.
        connections = [self.connect(sent) for _ in range(CONNECTIONS)]
        self.assertServes()
        eventually(lambda: held_by(self.server) == 0, "all connections are closed")
        for connection in connections:
            self._read_to_the_end(connection)
        self.assertServes()

    def _read_to_the_end(self, connection: socket.socket) -> None:
        try:
            while connection.recv(65536):
                pass
        except TimeoutError:
            raise
        except OSError:
            pass  # It was reset, which is an end as well.

    def test_connections_that_send_nothing(self):
        self.assertAllAreClosed(b"")

    def test_connections_that_send_half_a_preface(self):
        self.assertAllAreClosed(HALF_A_PREFACE)

    def test_connections_that_make_no_call(self):
        self.assertAllAreClosed(SETTLED)

    def test_connections_that_send_no_message(self):
        self.assertAllAreClosed(HEADERS)

    def test_connections_that_send_half_a_message(self):
        self.assertAllAreClosed(HALF_A_REQUEST)

    def test_nothing_was_executed_for_them(self):
        for sent in (HEADERS, HALF_A_REQUEST):
            self.connect(sent)
        eventually(lambda: held_by(self.server) == 0, "all connections are closed")
        self.assertEqual(self.instances(self.client_of(None)), [])


class ManyTest(ConnectionCase):
    flags = ("--max_connections=5",)

    def test_one_too_many_is_closed_at_once_and_has_room_when_another_is_gone(self):
        # With an admitted call: a stranger's would go for others.
        kept = [self.connect(HEADERS + raw_http2.message(b"")) for _ in range(5)]
        for connection in kept:
            received = chunk = connection.recv(65536)
            while chunk and b"grpc-status" not in received:
                chunk = connection.recv(65536)
                received += chunk
            self.assertIn(b"grpc-status", received)
        for _ in range(20):
            refused = self.connect()
            self.assertEqual(refused.recv(1), b"")
        for connection in kept[:2]:
            connection.close()
        eventually(lambda: self.client.call("RunInstances", run()).ok, "a place is free again")
        self.client.close()
        self.assertEqual(len(self.instances(eventually(self._connected, "another place"))), 1)

    def _connected(self):
        client = self.client_of(self.tenant)
        return client if client.call("DescribeInstances", b"").ok else None


class DescriptorsTest(ConnectionCase):
    def test_who_takes_all_descriptors_shuts_nobody_out_for_good(self):
        self.assertServes()
        # Those of a server that has just begun, and a few.
        resource.prlimit(self.server.pid, resource.RLIMIT_NOFILE, (40, 40))
        connections = [self.connect() for _ in range(100)]
        for connection in connections:
            connection.close()
        eventually(lambda: self.client_of(self.tenant).call("RunInstances", run(new_token()), timeout=5).ok,
                   "new connections are served again")


if __name__ == "__main__":
    unittest.main()
