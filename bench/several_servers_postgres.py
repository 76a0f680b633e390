"""Hapax over PostgreSQL: beside hand-written patterns on the same database, and beside its own embedded engine; with one
server and with three; without a standby, and with a synchronous one."""

import contextlib
import pathlib
from typing import NamedTuple

from context import Context
from figures import OUTCOMES
from peer_postgres import Postgres, PostgresSameRows
from postgres_cluster import Cluster
from processes import ServerProcess
from shared_store import HapaxOnStore, measure_in_turn, summary, words
from systems import Hapax, Running, System

SERVERS = 3
ZONES = tuple(f"us-east-1{letter}" for letter in "abc")
STANDBYS = ("none", "synchronous")
SAME_ROWS = "PostgreSQL, hand-written, same rows"
CATALOG = "regions { name: \"us-east-1\"" + "".join(
    f' zones {{ name: "{zone}" vcpus: 1000000000 subnets {{ id: "subnet-{i}" cidr_block: "{10 + i}.0.0.0/8" }} }}'
    for i, zone in enumerate(ZONES)) + """ }
image_ids: "ami-b232d0db"
instance_types { name: "m5.large" vcpus: 2 instances_per_host: 48 }
default_instance_type: "m5.large"
quota { instances: 1000000000 hosts: 1 }
"""


class Rows(NamedTuple):
    """What the callers of several servers have in common."""

    name: str
    # The flags of the load on each server.
    load_flags: tuple
    # The flags of each hand-written service.
    service_flags: tuple


HOT = Rows("one zone, one tenant", ({},) * SERVERS, ((),) * SERVERS)
DISJOINT = Rows("a zone and a tenant each",
                tuple({"tenant": f"tenant-{i}", "zone": zone} for i, zone in enumerate(ZONES)),
                tuple((f"--zone={zone}", f"--tenant=tenant-{i}") for i, zone in enumerate(ZONES)))


class HapaxOverPostgres(HapaxOnStore):
    name = "hapax_postgres"

    def __init__(self, build: pathlib.Path, cluster: Cluster, servers: int = 1):
        super().__init__(build, cluster, servers, CATALOG)


class HandWritten(System):
    """Services of a peer on a cluster that runs already, in a database of their own. Its target is the first one."""

    def __init__(self, build: pathlib.Path, cluster: Cluster, peer: type, services: tuple = ((),),
                 mutation: str = "launch"):
        self._peer = peer
        self._program = build / peer.facade_program
        self._cluster = cluster
        self._flags = services
        self._mutation = mutation
        self._services = []

    def start(self, scratch: pathlib.Path) -> Running:
        database = self._cluster.new_database()
        self._cluster.psql(self._peer.schema, database)
        for i, flags in enumerate(self._flags):
            self._services.append(ServerProcess(
                self._program, f"--conninfo={self._cluster.conninfo(database)}", *self._peer.launch_flags, *flags,
                stderr=scratch / f"service-{i}.log"))
        return self.all()[0]

    def all(self) -> list:
        """Each service; the first one with the cluster's processes."""
        return [Running(service.address, "grpc", [service.pid, *(self._cluster.pids if i == 0 else [])],
                        self._mutation)
                for i, service in enumerate(self._services)]

    def stop(self) -> None:
        services, self._services = self._services, []
        for service in services:
            service.stop()


def run(context: Context) -> dict:
    """The list `several_servers_postgres`; empty if PostgreSQL is not installed. A quick run has one row of it."""
    result = {"several_servers_postgres": []}
    if reason := Postgres(context.build).unavailable():
        context.say(f"several servers on PostgreSQL: skipped: {reason}")
        return result
    for standby in STANDBYS[-1:] if context.quick else STANDBYS:
        with _cluster(context, standby) as cluster:
            for row in _rows(context, cluster):
                context.say(f"{row['servers']} servers on PostgreSQL, standby: {standby}, {row['rows']}, {row['figure']}: "
                            f"{words(row)}")
                result["several_servers_postgres"].append({"standby": standby, **row})
    return result


@contextlib.contextmanager
def _cluster(context: Context, standby: str):
    with context.scratch() as scratch:
        cluster = Cluster(scratch, with_standby=standby == "synchronous")
        try:
            yield cluster
        finally:
            cluster.stop()


def _rows(context: Context, cluster: Cluster):
    yield _one_server(context, cluster, "first_execution", SAME_ROWS)
    if context.quick:
        return
    yield _one_server(context, cluster, "first_execution", "PostgreSQL, hand-written")
    for figure in ("first_execution", "replay"):
        yield _one_server(context, cluster, figure, "hapax")
    for rows in (HOT, DISJOINT):
        yield _three_servers(context, cluster, rows)


def _one_server(context: Context, cluster: Cluster, figure: str, beside: str) -> dict:
    if beside == "hapax":
        other, outcome = Hapax(context.build), OUTCOMES[figure]
    else:
        other, outcome = HandWritten(context.build, cluster, PostgresSameRows if beside == SAME_ROWS else Postgres), ""
    with context.started_system(HapaxOverPostgres(context.build, cluster)) as hapax, context.started_system(other) as peer:
        pairs = measure_in_turn(context, [hapax], [peer], figure, outcome_of_others=outcome)
    return {"figure": figure, "servers": 1, "rows": HOT.name, "beside": beside, **summary(pairs)}


def _three_servers(context: Context, cluster: Cluster, rows: Rows) -> dict:
    hapax = HapaxOverPostgres(context.build, cluster, SERVERS)
    other = HandWritten(context.build, cluster, PostgresSameRows, rows.service_flags)
    with context.started_system(hapax), context.started_system(other):
        pairs = measure_in_turn(context, hapax.all(), other.all(), "first_execution", flags=rows.load_flags)
    return {"figure": "first_execution", "servers": SERVERS, "rows": rows.name, "beside": SAME_ROWS, **summary(pairs)}
