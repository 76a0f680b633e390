"""A round against several servers on one etcd cluster, of which any process may die or pause at any time."""

import itertools
import random
import signal
import threading
import time

from etcd import Etcd, SharedServer
from history import Policy
from proxy import Proxy
from round import CALLS_OF_A_SERVER, PATIENCE_S, Round

SERVERS = 3
MEMBERS = 3
# Of the requests of a server to a member: cut or delayed, before or after their effect.
MEMBER_FAULT_RATE = 0.02
# Longer than a server's lease of its work.
PAUSE_S = 1.5


class ProxiedEtcd:
    """The members as the servers see them, each behind a network that breaks requests."""

    def __init__(self, etcd: Etcd, seed: int):
        self._proxies = [Proxy(member, seed + i, MEMBER_FAULT_RATE) for i, member in enumerate(etcd.members)]
        self.endpoint = ",".join(proxy.address for proxy in self._proxies)

    @property
    def faults(self) -> int:
        return sum(sum(proxy.faults.values()) for proxy in self._proxies)

    def close(self) -> None:
        for proxy in self._proxies:
            proxy.close()


class SharedServers:
    """Servers on one cluster as one endpoint: each new connection is to the next one that runs."""

    def __init__(self, seed: int, *flags: str):
        self.starts = 0
        self.etcd = Etcd(MEMBERS).start()
        self.network = ProxiedEtcd(self.etcd, seed)
        self.servers = [SharedServer(self.network, f"server-{i}", *flags) for i in range(SERVERS)]
        self._running = set()
        self._turns = itertools.count()
        self._lock = threading.Lock()

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


class SharedRound(Round):
    """A Round whose servers and members break by turns, while the others serve."""

    def __init__(self, seed: str, servers: SharedServers, policy: Policy):
        super().__init__(seed, servers, policy)
        self._chance = random.Random(f"{seed}.shared")
        self._kinds = [self._kill_server, self._stop_server, self._pause_server, self._kill_member,
                       self._pause_member, self._kill_all]
        self._chance.shuffle(self._kinds)
        self._breaks = 0
        self._up = None

    def _is_over(self, operations: int) -> bool:
        """Not before each kind of break has come."""
        return super()._is_over(operations) and self._breaks >= len(self._kinds)

    def _break(self, up: threading.Event) -> None:
        self._up = up
        self._kinds[self._breaks % len(self._kinds)]()
        self._breaks += 1

    def _await_calls(self) -> None:
        self.history.await_more(self._chance.randint(*CALLS_OF_A_SERVER) // 4, PATIENCE_S)

    def _kill_server(self) -> None:
        i = self._chance.randrange(SERVERS)
        self._server.end_one(i, SharedServer.kill)
        self.history.kills.append(time.monotonic_ns())
        self.kills += 1
        self._await_calls()
        self._server.start_one(i)

    def _stop_server(self) -> None:
        i = self._chance.randrange(SERVERS)
        self._server.end_one(i, SharedServer.stop)
        self.stops += 1
        self._await_calls()
        self._server.start_one(i)

    def _pause_server(self) -> None:
        self._pause("server paused", self._chance.choice(self._server.servers))

    def _pause_member(self) -> None:
        self._pause("member paused", self._chance.choice(self._server.etcd.members))

    def _pause(self, fault: str, process) -> None:
        self.faults[fault] += 1
        process.signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)
        process.signal(signal.SIGCONT)

    def _kill_all(self) -> None:
        """Nobody calls meanwhile: each call would be one more of an unknown answer, and the checker tries all of them."""
        self._up.clear()
        self._server.kill()
        self._server.etcd.kill()
        self.faults["all killed"] += 1
        self.history.kills.append(time.monotonic_ns())
        self._server.etcd.start()
        self._server.start()
        self._up.set()

    def _kill_member(self) -> None:
        self._chance.choice(self._server.etcd.members).kill()
        self.faults["member killed"] += 1
        self._await_calls()
        self._server.etcd.start()
