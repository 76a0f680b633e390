"""Hapax over etcd: beside a hand-written pattern on the same members, beside its own embedded engine, with one server
more, and while the leading member dies."""

import contextlib
import json
import pathlib
import secrets
import threading
import time
import urllib.error
import urllib.request

from context import Context
from figures import OUTCOMES
from peer import free_port, spawn, wait_until
from peer_etcd import QUOTA_BYTES, Etcd, EtcdSameRows
from shared_store import IN_FLIGHT, HapaxOnStore, measure_in_turn, summary, words
from systems import Hapax, Running, System

MEMBERS = (1, 3)
SERVERS = 3
FIGURES = ("first_execution", "replay")
# Of the closed loop's throughput, while the leader dies: so that what waits meanwhile may be in flight.
FRACTION = 0.25
LEADER_RUN_S = 10
HTTP_TIMEOUT_S = 5


class Members:
    """A cluster of etcd on free ports of 127.0.0.1, set as docs/several-servers.md says."""

    def __init__(self, count: int, scratch: pathlib.Path):
        names = [f"member-{i}" for i in range(count)]
        peers = [f"http://127.0.0.1:{free_port()}" for _ in names]
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in names]
        initial = ",".join(f"{name}={peer}" for name, peer in zip(names, peers))
        self._processes = []
        for name, peer, address in zip(names, peers, self.addresses):
            client = f"http://{address}"
            self._processes.append(spawn(
                ["etcd", "--name", name, "--data-dir", scratch / name, "--listen-client-urls", client,
                 "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", initial, "--max-txn-ops", 8192, "--quota-backend-bytes", QUOTA_BYTES,
                 "--logger", "zap", "--log-level", "error"], scratch / f"{name}.log"))
        for name, process, address in zip(names, self._processes, self.addresses):
            wait_until(lambda address=address: self._answers(address), process, scratch / f"{name}.log")

    @property
    def pids(self) -> list:
        return [process.pid for process in self._processes]

    def hapax_flags(self, _scratch: pathlib.Path) -> list:
        """The flags of hapaxd for a prefix of its own."""
        return ["--store=etcd", f"--etcd_endpoints={','.join(self.addresses)}",
                f"--etcd_prefix=/hapax-{secrets.token_hex(4)}"]

    def kill_leader(self) -> None:
        for process, address in zip(self._processes, self.addresses):
            status = self._post(address, "/v3/maintenance/status")
            if status["leader"] == status["header"]["member_id"]:
                process.kill()
                return
        raise RuntimeError("no member leads")

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def _answers(self, address: str) -> bool:
        try:
            return self._post(address, "/v3/maintenance/status").get("leader", "0") != "0"
        except (urllib.error.URLError, ConnectionError):
            return False

    @staticmethod
    def _post(address: str, path: str) -> dict:
        with urllib.request.urlopen(f"http://{address}{path}", b"{}", HTTP_TIMEOUT_S) as reply:
            return json.load(reply)


class HapaxOverEtcd(HapaxOnStore):
    name = "hapax_etcd"


class OnMembers:
    """A peer's service, on members that run already."""

    def __init__(self, build: pathlib.Path, members: Members, mutation: str = "launch"):
        super().__init__(build)
        self._members = members
        self.mutation = mutation

    def start(self, scratch: pathlib.Path) -> Running:
        self._address = self._members.addresses[0]
        self._service = self.start_service(scratch)
        return Running(self.target(), self.protocol, [self._service.pid, *self._members.pids],
                       self.mutation)


class HandWritten(OnMembers, Etcd):
    pass


class HandWrittenSameRows(OnMembers, EtcdSameRows):
    pass


def run(context: Context) -> dict:
    """Lists `several_servers` and `leader_death`; none if etcd is not installed."""
    result = {"several_servers": [], "leader_death": []}
    reason = Etcd(context.build).unavailable()
    if reason:
        context.say(f"several servers: skipped: {reason}")
        return result
    for count in MEMBERS:
        with _members(context, count) as members:
            for figure in FIGURES:
                hand_written = _in_pairs(context, members, figure, HandWritten(context.build, members))
                _add(context, result, figure, count, 1, "etcd, hand-written", hand_written)
                if figure == "first_execution":
                    same_rows = _in_pairs(context, members, figure, HandWrittenSameRows(context.build, members))
                    _add(context, result, figure, count, 1, "etcd, hand-written, same rows", same_rows)
                embedded = _in_pairs(context, members, figure, Hapax(context.build))
                _add(context, result, figure, count, 1, "hapax", embedded)
    with _members(context, MEMBERS[-1]) as members:
        for figure in FIGURES:
            _add(context, result, figure, MEMBERS[-1], SERVERS, "one server", _more_servers(context, members, figure))
        result["leader_death"].append(_leader_death(context, members))
    return result


@contextlib.contextmanager
def _members(context: Context, count: int):
    with context.scratch() as scratch:
        members = Members(count, scratch)
        try:
            yield members
        finally:
            members.stop()


def _in_pairs(context: Context, members: Members, figure: str, other: System) -> list:
    """Pairs of results: of Hapax over etcd, of the other."""
    expected = "" if isinstance(other, OnMembers) else OUTCOMES[figure]
    with context.started_system(HapaxOverEtcd(context.build, members)) as hapax, context.started_system(other) as peer:
        return measure_in_turn(context, [hapax], [peer], figure, outcome_of_others=expected)


def _more_servers(context: Context, members: Members, figure: str) -> list:
    """Pairs of results: of all servers at once, with as many calls in flight at each, and of one of them alone."""
    servers = HapaxOverEtcd(context.build, members, SERVERS)
    with context.started_system(servers) as first:
        return measure_in_turn(context, servers.all(), [first], figure, outcome_of_others=OUTCOMES[figure])


def _leader_death(context: Context, members: Members) -> dict:
    """Calls at a fixed rate, from when each was due, while the leading member dies."""
    with context.started_system(HapaxOverEtcd(context.build, members)) as hapax:
        capacity = context.load(hapax, "first_execution", in_flight=IN_FLIGHT, outcome="executed")["rps"]
        measuring = threading.Event()
        killer = threading.Thread(target=lambda: (measuring.wait(), time.sleep(1), members.kill_leader()))
        killer.start()
        found = context.load(hapax, "first_execution", rate=round(capacity * FRACTION), in_flight=IN_FLIGHT * 64,
                             outcome="executed", measuring=measuring, seconds=LEADER_RUN_S)
        killer.join()
    context.say(f"the leader dies: p99 {found['p99_us']:,.0f} us, the slowest {found['max_us']:,.0f} us")
    return {"rate": round(capacity * FRACTION), "seconds": LEADER_RUN_S,
            **{key: found[key] for key in ("rps", "p50_us", "p99_us", "max_us", "calls")}}


def _add(context: Context, result: dict, figure: str, members: int, servers: int, beside: str,
         pairs: list) -> None:
    row = {"figure": figure, "members": members, "servers": servers, "beside": beside, **summary(pairs)}
    context.say(f"{servers} servers on {members} members, {figure}: {words(row)}")
    result["several_servers"].append(row)
