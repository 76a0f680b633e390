"""A round against several servers on one etcd cluster, of which any process may die or pause at any time, any member
may be cut off from the others, and one server's clock may be wrong."""

import random
import signal
import threading
import time

from etcd import SharedServer
from history import Policy
from round import CLOCK_OFFSETS, PATIENCE_S, Round
from shared_servers import SERVERS, SharedServers
from wrong_clock import FOLLOWS_S

# Longer than a server's lease of its work.
PAUSE_S = 1.5
# During a break, and between two.
CALLS_IN_A_BREAK = (12, 125)
CALLS_BETWEEN_BREAKS = (25, 250)
# By how many seconds a clock is ahead that is wrong within what servers must bear (docs/several-servers.md).
SMALL_OFFSETS = (0.2, 0.9, -0.2, -0.9)
LARGE_OFFSETS = tuple(offset for offset in CLOCK_OFFSETS if offset)


class SharedRound(Round):
    """A Round whose servers and members break by turns, while the others serve.

    Every break is mended before the next one, and all before the round's end."""

    _calls_between_breaks = CALLS_BETWEEN_BREAKS

    def __init__(self, seed: str, servers: SharedServers, policy: Policy):
        super().__init__(seed, servers, policy)
        self._chance = random.Random(f"{seed}.shared")
        self._kinds = [self._kill_server, self._stop_server, self._pause_server, self._kill_all, *self._store_kinds()]
        if servers.clock is not None:
            self._kinds += [self._set_clock, self._start_with_wrong_clock]
        self._chance.shuffle(self._kinds)
        self._breaks = 0
        self._up = None

    def _store_kinds(self) -> list:
        """Breaks of the store."""
        return [self._kill_member, self._pause_member, self._cut_leader, self._cut_follower]

    def _hostile(self, board, operations: int) -> None:
        with self._server.network.hostile():
            super()._hostile(board, operations)

    def _is_over(self, operations: int) -> bool:
        """Not before each kind of break has come."""
        return super()._is_over(operations) and self._breaks >= len(self._kinds)

    def _break(self, up: threading.Event) -> None:
        self._up = up
        self._kinds[self._breaks % len(self._kinds)]()
        self._breaks += 1

    def _await_calls(self) -> None:
        self.history.await_more(self._chance.randint(*CALLS_IN_A_BREAK), PATIENCE_S)

    def _kill_server(self) -> None:
        i = self._chance.randrange(SERVERS)
        self._end_by_kill(i)
        self._await_calls()
        self._server.start_one(i)

    def _end_by_kill(self, i: int) -> None:
        self._server.end_one(i, SharedServer.kill)
        self.history.kills.append(time.monotonic_ns())
        self.kills += 1

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

    def _pause(self, fault: str, process, pause_s: float = PAUSE_S) -> None:
        self.faults[fault] += 1
        process.signal(signal.SIGSTOP)
        time.sleep(pause_s)
        process.signal(signal.SIGCONT)

    def _cut_leader(self) -> None:
        self._cut("leader cut off", self._server.etcd.leader())

    def _cut_follower(self) -> None:
        etcd = self._server.etcd
        leader = etcd.leader()
        self._cut("follower cut off", self._chance.choice([member for member in etcd.members if member is not leader]))

    def _cut(self, fault: str, member) -> None:
        """The other members go on without it. Servers reach it all the same."""
        self._server.etcd.cut_off(member)
        self.faults[fault] += 1
        self._await_calls()
        self._server.etcd.peers.heal()

    def _set_clock(self) -> None:
        """While the server runs."""
        for offsets in (SMALL_OFFSETS, LARGE_OFFSETS):
            self._server.clock.set(self._chance.choice(offsets))
            self.faults["clock set"] += 1
            time.sleep(FOLLOWS_S)
            self._await_calls()
        self._server.clock.set(0)

    def _start_with_wrong_clock(self) -> None:
        i = SERVERS - 1
        self._end_by_kill(i)
        self._server.clock.set(self._chance.choice(SMALL_OFFSETS + LARGE_OFFSETS))
        self.faults["wrong clock at a start"] += 1
        # The kernel knows nothing of libfaketime. A thread of gRPC's that waits until a time sleeps for longer by as much as
        # the clock is ahead, so after a fault the next attempt may never come.
        with self._server.network.calm():
            started = self._starts(i)
        if started:
            self._await_calls()
        self._server.clock.set(0)
        if not started:
            self.faults["start refused for the clock"] += 1
            self._server.start_one(i)

    def _starts(self, i: int) -> bool:
        """Starts a server. False if it refuses to start for its clock."""
        server = self._server.servers[i]
        already = len(server.stderr)
        try:
            self._server.start_one(i)
            return True
        except AssertionError:
            if "clock" not in server.stderr[already:]:
                raise
            return False

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
