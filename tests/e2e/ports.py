"""Ports for programs that cannot choose one themselves."""

import random
import socket

# Below those that Linux gives to outgoing connections, which would take a port between its choice and its use.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as found:
            try:
                found.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
