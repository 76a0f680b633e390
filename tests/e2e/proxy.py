"""A hostile network: a TCP proxy between clients and a server that breaks what it carries, at random."""

import collections
import random
import selectors
import socket
import struct
import threading
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEADER_BYTES = 9
DATA, HEADERS = 0, 1
END_STREAM = 1
LONGEST_DELAY_S = 0.1

# What can become of a request, each as likely as another.
FAULTS = (
    "cut before the request",
    "cut in the request",
    "cut after the request",  # At once: the server may see it, or not.
    "cut before the reply",  # When the reply has come: the effect is made.
    "cut in the reply",
    "delayed request",
    "delayed reply",
)


class Frames:
    """Cuts a stream into HTTP/2 frames: (kind, flags, all its bytes). `preface`, which comes before the first one, is
    of kind None."""

    def __init__(self, preface: bytes):
        self._preface = len(preface)
        self._bytes = b""

    def feed(self, data: bytes) -> list:
        self._bytes += data
        frames = []
        while (size := self._next_size()) and len(self._bytes) >= size:
            kind = None if self._preface else self._bytes[3]
            frames.append((kind, self._bytes[4], self._bytes[:size]))
            self._preface = 0
            self._bytes = self._bytes[size:]
        return frames

    def _next_size(self) -> int:
        if self._preface or len(self._bytes) < FRAME_HEADER_BYTES:
            return self._preface
        return FRAME_HEADER_BYTES + int.from_bytes(self._bytes[:3], "big")


class Cut(Exception):
    """The connection ends here."""


class Connection:
    """One connection through the proxy. A request draws its fault when it begins."""

    # How what the client sends, and what the server sends, is cut into frames.
    frames = (lambda: Frames(PREFACE), lambda: Frames(b""))

    def __init__(self, client, server, chance: random.Random, proxy: "Proxy"):
        self._client, self._server = client, server
        self._chance = chance
        self._proxy = proxy
        self._fault = None

    def carry(self) -> None:
        """Until one side ends it, or a fault does."""
        with selectors.DefaultSelector() as ready, self._client, self._server:
            from_client, from_server = (make() for make in self.frames)
            ready.register(self._client, selectors.EVENT_READ, (self._server, from_client, self._to_server))
            ready.register(self._server, selectors.EVENT_READ, (self._client, from_server, self._to_client))
            try:
                while True:
                    for key, _ in ready.select():
                        target, frames, judge = key.data
                        if not (data := key.fileobj.recv(65536)):
                            return
                        for kind, flags, frame in frames.feed(data):
                            judge(kind, flags, frame, target)
            except Cut:
                if self._chance.random() < 0.5:
                    for end in (self._client, self._server):
                        reset(end)
            except OSError:
                pass  # One side was faster.

    def _to_server(self, kind, flags, frame: bytes, server) -> None:
        if kind == HEADERS:
            self._fault = self._chance.choice(FAULTS) if self._chance.random() < self._proxy.fault_rate else None
            self._proxy.count(self._fault)
            self._cut_if("cut before the request")
            self._delay_if("delayed request")
        if kind == DATA and self._fault == "cut in the request":
            server.sendall(frame[:len(frame) // 2])
            raise Cut
        server.sendall(frame)
        if kind == DATA and flags & END_STREAM:
            self._cut_if("cut after the request")

    def _to_client(self, kind, _, frame: bytes, client) -> None:
        if kind == HEADERS:
            self._cut_if("cut before the reply")
            self._delay_if("delayed reply")
        if kind == DATA and self._fault == "cut in the reply":
            client.sendall(frame[:len(frame) // 2])
            raise Cut
        client.sendall(frame)

    def _cut_if(self, fault: str) -> None:
        if self._fault == fault:
            raise Cut

    def _delay_if(self, fault: str) -> None:
        if self._fault == fault:
            self._fault = None
            time.sleep(self._chance.uniform(0, LONGEST_DELAY_S))


def reset(end) -> None:
    """RST instead of FIN when it is closed: what was not read is lost."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Proxy:
    """Carries connections to wherever the server is at the time; a part of the requests, `fault_rate`, meets a fault.

    An endpoint for Client. `fault_rate` may be changed at any time. `faults` counts them by kind, `requests` all
    requests that came."""

    connection = Connection

    def __init__(self, server, seed: int, fault_rate: float):
        self.faults = collections.Counter()
        self.fault_rate = fault_rate
        self.requests = 0
        self.starts = 0
        self._server = server
        self._seed = seed
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections. Those that stand end with their clients."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def count(self, fault) -> None:
        """Adds a request, and its fault if it has one."""
        with self._lock:
            self.requests += 1
            if fault:
                self.faults[fault] += 1

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            chance = random.Random(f"{self._seed}.{number}")
            threading.Thread(target=self._carry, args=(client, chance), daemon=True).start()

    def _carry(self, client, chance: random.Random) -> None:
        host, port = self._server.address.split(":")
        try:
            server = socket.create_connection((host, int(port)))
        except OSError:
            reset(client)
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection(client, server, chance, self).carry()
