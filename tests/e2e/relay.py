"""A network that loses what it is told to lose: a TCP relay between a client and a server."""

import socket
import threading


class Relay:
    """Carries bytes both ways until `lose_requests` or `lose_replies` is set; from then on the bytes of that direction
    vanish, as if the network had swallowed them. An endpoint for Client. Let the client make a call first, so that the
    connection stands; or say by bytes of it which request is to be lost (`lose_requests_from`), or the reply of
    which (`lose_replies_after`); `lost` tells when that came."""

    def __init__(self, server):
        self.lose_requests = False
        self.lose_replies = False
        self.lose_requests_from = None
        self.lose_replies_after = None
        self.lost = False
        self.starts = 0
        self._server = server
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cuts every connection and takes no more."""
        _shut(self._listener)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            host, port = self._server.address.split(":")  # Another one after a restart.
            try:
                server = socket.create_connection((host, int(port)))
            except OSError:
                _shut(client)  # There is no server at the moment.
                continue
            self._sockets += [client, server]
            for source, target, lost in (
                    (client, server, self._loses_request), (server, client, lambda _: self.lose_replies)):
                threading.Thread(target=_pump, args=(source, target, lost), daemon=True).start()

    def cut(self) -> None:
        """Cuts every connection; others may be made."""
        sockets, self._sockets = self._sockets, []
        for end in sockets:
            _shut(end)

    def _loses_request(self, data: bytes) -> bool:
        if self.lose_replies_after is not None and self.lose_replies_after in data:
            self.lose_replies = self.lost = True  # Before the server has seen the request.
        if self.lose_requests_from is not None and self.lose_requests_from in data:
            self.lose_requests = self.lost = True
        return self.lose_requests


def _shut(end) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # Its peer was faster.
    end.close()


def _pump(source, target, lost) -> None:
    try:
        while data := source.recv(65536):
            if not lost(data):
                target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # The relay was closed.
