"""A network between servers and a PostgreSQL that breaks what it carries, at random (proxy.py)."""

import pathlib
import tempfile

from proxy import DATA, END_STREAM, HEADERS, Connection, Proxy
from shared_servers import FaultyNetwork

# What ends a request and a reply: Sync or a password, and ReadyForQuery.
REQUEST_ENDS, REPLY_ENDS = b"Sp", b"Z"


class Messages:
    """Cuts a stream of PostgreSQL's protocol into requests, or replies, in the form of HTTP/2's: where one begins, then all
    of its bytes. The client's first message has no type."""

    def __init__(self, ends: bytes, has_type: bool):
        self._ends = ends
        self._has_type = has_type
        self._bytes = b""
        self._seen = 0  # Up to here the messages are known, and none ends the request.

    def feed(self, data: bytes) -> list:
        self._bytes += data
        whole = []
        while (end := self._next_end()) is not None:
            is_last = not self._has_type or self._bytes[self._seen] in self._ends
            self._seen = end
            self._has_type = True
            if is_last:
                whole += [(HEADERS, 0, b""), (DATA, END_STREAM, self._bytes[:end])]
                self._bytes, self._seen = self._bytes[end:], 0
        return whole

    def _next_end(self):
        """Of the next message; None: it is not whole yet."""
        length = self._seen + (1 if self._has_type else 0)
        if len(self._bytes) < length + 4:
            return None
        end = length + int.from_bytes(self._bytes[length:length + 4], "big")
        return end if len(self._bytes) >= end else None


class PostgresConnection(Connection):
    frames = (lambda: Messages(REQUEST_ENDS, has_type=False), lambda: Messages(REPLY_ENDS, has_type=True))


class PostgresProxy(Proxy):
    connection = PostgresConnection


class ProxiedPostgres(FaultyNetwork):
    """The nodes of a database as the servers see them, each behind a network that breaks requests when it is told to."""

    store = "postgres"
    place = "the database"

    def __init__(self, nodes: list, dbname: str, seed: int):
        super().__init__([PostgresProxy(node, seed + i, fault_rate=0) for i, node in enumerate(nodes)])
        hosts = ",".join("127.0.0.1" for _ in self._proxies)
        ports = ",".join(proxy.address.split(":")[1] for proxy in self._proxies)
        self._directory = tempfile.TemporaryDirectory(prefix="hapax-network-")
        self._conninfo = pathlib.Path(self._directory.name) / "conninfo"
        self._conninfo.touch(mode=0o600)
        # The network reads nothing that is encrypted, and no request for that.
        self._conninfo.write_text(f"host={hosts} port={ports} user=postgres dbname={dbname} sslmode=disable "
                                  "gssencmode=disable\n")

    def flags(self, prefix: str) -> tuple:
        return (f"--postgres_conninfo_file={self._conninfo}", f"--postgres_schema={prefix.strip('/')}")

    def close(self) -> None:
        super().close()
        self._directory.cleanup()
