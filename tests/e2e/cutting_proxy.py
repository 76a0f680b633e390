"""A TCP proxy that lets a request of HTTP/1.1 through and resets the connection in place of the reply."""

import socket
import struct
import threading


class CuttingProxy:
    """Cuts the first `cuts` replies, once they have come whole, and carries all others.

    `target` returns the address of the server, and is asked for each connection. `on_cut` is called after a reply was
    cut, before the client learns of it. With `of`, only replies to requests that contain it are cut and counted."""

    def __init__(self, target, cuts: int = 1, on_cut=lambda: None, of: bytes = b""):
        self.target = target
        self.cuts = cuts
        self.requests = 0
        self._on_cut = on_cut
        self._of = of
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            while request := _message(client):
                host, port = self.target().rsplit(":", 1)
                with socket.create_connection((host, int(port))) as server:
                    server.sendall(request)
                    reply = _message(server)
                with self._lock:
                    self.requests += self._of in request
                    is_cut = self.cuts > 0 and self._of in request
                    self.cuts -= is_cut
                if is_cut:
                    self._on_cut()
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                client.sendall(reply)


def _message(connection: socket.socket) -> bytes:
    """A whole request or reply; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while sizes and len(body) < sizes[0]:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
