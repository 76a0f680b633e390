"""The network between the members of a cluster of etcd, from which one of them can be cut off."""

import pathlib
import socket
import threading


class Link:
    """A connection of one member to another."""

    def __init__(self, ends: tuple, source, target, loses: bool):
        self.loses = loses  # From now on all bytes vanish.
        self._ends = ends
        self._sockets = (source, target)

    def touches(self, member) -> bool:
        return member in self._ends

    def carry(self) -> None:
        """Returns once one side ends it."""
        source, target = self._sockets
        back = threading.Thread(target=self._pump, args=(target, source), daemon=True)
        back.start()
        self._pump(source, target)
        back.join()
        source.close()
        target.close()

    def end(self) -> None:
        for each in self._sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # Its peer was faster.

    def _pump(self, source, target) -> None:
        try:
            while data := source.recv(65536):
                if not self.loses:
                    target.sendall(data)
        except OSError:
            pass
        self.end()


class PeerNetwork:
    """Carries connections between members. A member listens at `peer_port`; the others know it by url_of(member).

    Both ends of a connection are known: who accepts it by the address, and who makes it by its process. So a member can
    be cut off in both directions. Clients reach it all the same."""

    def __init__(self, members: list):
        self._members = members
        self._cut = None
        self._links = []
        self._lock = threading.Lock()
        self._listeners = {}
        for member in members:
            self._listeners[member] = socket.create_server(("127.0.0.1", 0))
            threading.Thread(target=self._accept, args=(member,), daemon=True).start()

    def url_of(self, member) -> str:
        return "http://127.0.0.1:%d" % self._listeners[member].getsockname()[1]

    def cut(self, member) -> None:
        """From now on nothing passes between this member and the others, as if packets were lost."""
        with self._lock:
            self._cut = member
            for link in self._links:
                link.loses = link.loses or link.touches(member)

    def heal(self) -> None:
        """Connections that lost bytes end; others may be made."""
        with self._lock:
            self._cut = None
            for link in self._links:
                if link.loses:
                    link.end()

    def close(self) -> None:
        for listener in self._listeners.values():
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            for link in self._links:
                link.end()

    def _accept(self, member) -> None:
        listener = self._listeners[member]
        while True:
            try:
                source, address = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(member, source, address[1]), daemon=True).start()

    def _carry(self, member, source, port: int) -> None:
        try:
            maker = self._owner_of(port)
            target = socket.create_connection(("127.0.0.1", member.peer_port))
        except OSError:
            source.close()
            return
        for end in (source, target):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            link = Link((maker, member), source, target, loses=self._cut in (maker, member))
            self._links.append(link)
        link.carry()
        with self._lock:
            self._links.remove(link)

    def _owner_of(self, port: int):
        """The member whose connection has this port at its end. OSError if there is none any more."""
        socket_name = _socket_with(port)
        for member in self._members:
            if socket_name in _open_files(member.pid):
                return member
        raise ConnectionResetError


def _socket_with(port: int) -> str:
    """How the kernel shows the socket of 127.0.0.1 with this local port among a process's files (proc(5))."""
    local = f"0100007F:{port:04X}"
    for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == local:
            return f"socket:[{fields[9]}]"
    return ""


def _open_files(pid) -> set:
    """What a process has open; nothing if it does not run."""
    found = set()
    try:
        for file in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                found.add(str(file.readlink()))
            except OSError:
                pass  # It was closed meanwhile.
    except OSError:
        pass
    return found
