"""Servers on one etcd cluster, behind a network that breaks requests to its members when it is told to."""

import contextlib
import itertools
import threading

from etcd import Etcd, EtcdPlace, SharedServer
from proxy import Proxy

SERVERS = 3
MEMBERS = 3
# Of the requests of a server to a member: cut or delayed, before or after their effect.
MEMBER_FAULT_RATE = 0.02


class FaultyNetwork:
    """Proxies that break requests when they are told to."""

    def __init__(self, proxies: list):
        self._proxies = proxies

    @contextlib.contextmanager
    def hostile(self):
        with self._with_fault_rate(MEMBER_FAULT_RATE):
            yield

    @contextlib.contextmanager
    def calm(self):
        """Within hostile(): for what must not be disturbed."""
        with self._with_fault_rate(0):
            yield

    @contextlib.contextmanager
    def _with_fault_rate(self, rate: float):
        before = self._proxies[0].fault_rate
        self._set_fault_rate(rate)
        try:
            yield
        finally:
            self._set_fault_rate(before)

    def _set_fault_rate(self, rate: float) -> None:
        for proxy in self._proxies:
            proxy.fault_rate = rate

    @property
    def faults(self) -> int:
        return sum(sum(proxy.faults.values()) for proxy in self._proxies)

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()


class ProxiedEtcd(FaultyNetwork, EtcdPlace):
    """The members as the servers see them, each behind a network that breaks requests when it is told to."""

    def __init__(self, etcd: Etcd, seed: int):
        super().__init__([Proxy(member, seed + i, fault_rate=0) for i, member in enumerate(etcd.members)])
        self.endpoint = ",".join(proxy.address for proxy in self._proxies)


class SharedServers:
    """Servers on one cluster as one endpoint: each new connection is to the next one that runs. `clock`, if there is
    one, is that of the last of them (wrong_clock.py)."""

    def __init__(self, seed: int, *flags: str, clock=None):
        self.clock = clock
        self.starts = 0
        self.etcd, self.network = self._start_store(seed)
        self.servers = [SharedServer(self.network, f"server-{i}", *flags) for i in range(SERVERS)]
        if clock is not None:
            self.servers[-1].environment = clock.environment
        self._running = set()
        self._turns = itertools.count()
        self._lock = threading.Lock()

    @staticmethod
    def _start_store(seed: int) -> tuple:
        """The store, and the network to it."""
        etcd = Etcd(MEMBERS).start()
        return etcd, ProxiedEtcd(etcd, seed)

    @property
    def address(self) -> str:
        with self._lock:
            running = sorted(self._running) or [0]
            return self.servers[running[next(self._turns) % len(running)]].address

    def start(self) -> "SharedServers":
        """Starts those that do not run."""
        for i in range(SERVERS):
            if i not in self._running:
                self.start_one(i)
        return self

    def start_one(self, i: int) -> None:
        self.servers[i].start()
        with self._lock:
            self._running.add(i)

    def kill(self) -> None:
        for i in sorted(self._running):
            self.end_one(i, SharedServer.kill)

    def end_one(self, i: int, end) -> None:
        with self._lock:
            self._running.discard(i)
        end(self.servers[i])

    def close(self) -> None:
        try:
            for server in self.servers:
                server.close()
        finally:
            self.network.close()
            self.etcd.close()
