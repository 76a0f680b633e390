"""A network that loses what it is told to lose: a TCP relay between a client and a server."""

import socket
import threading


class Relay:
    """Carries bytes both ways until `lose_requests` or `lose_replies` is set; from then on the bytes of that direction
    vanish, as if the network had swallowed them. An endpoint for Client. Let the client make a call first, so that the
    connection stands."""

    def __init__(self, server):
        self.lose_requests = False
        self.lose_replies = False
        self.starts = 0
        self._to = server.address.split(":")
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cuts every connection and takes no more."""
        for end in [self._listener, *self._sockets]:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # Its peer was faster.
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((self._to[0], int(self._to[1])))
            self._sockets += [client, server]
            for source, target, lost in (
                    (client, server, lambda: self.lose_requests), (server, client, lambda: self.lose_replies)):
                threading.Thread(target=_pump, args=(source, target, lost), daemon=True).start()


def _pump(source, target, lost) -> None:
    try:
        while data := source.recv(65536):
            if not lost():
                target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The relay was closed.
