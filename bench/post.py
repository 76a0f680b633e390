"""The mechanism on the same work as its peers: each system stores one row and one record, and repeats the reply. Each is
measured in pairs with the echo; the engines of several servers beside the hand-written pattern on the same database."""

import contextlib
import functools

from context import Context
from disk import fdatasync
from figures import IN_FLIGHT, OUTCOMES, measure_row
from peer_etcd import Etcd
from peer_postgres import Postgres
from peers import PEERS
from postgres_cluster import Cluster
from several_servers import HandWritten as OnEtcd
from several_servers import Members
from several_servers_postgres import HandWritten as OnPostgres
from shared_store import LedgerOnStore, measure_in_turn, summary, words
from systems import Echo, Ledger, System

FIGURES = ("first_execution", "replay")
ENGINES = ("hapax_etcd", "hapax_postgres")
SYSTEMS = ("hapax", "echo", *PEERS, *ENGINES)


def run(context: Context) -> dict:
    """Lists `post`; `post_engines`; `disk` (fdatasync beside a first execution at 1 in flight); `versions` of the
    systems, and those that were `skipped` or `failed`, with the reasons."""
    result = {"post": [], "post_engines": [], "disk": [], "versions": [], "skipped": [], "failed": []}
    for name in SYSTEMS:
        if name == "echo" or not _wants(context, name):
            continue
        reason = "not part of --quick" if context.quick and name != "hapax" and name not in context.only else None
        reason = reason or _unavailable(context, name)
        if reason:
            context.say(f"{name}: skipped: {reason}")
            result["skipped"].append({"system": name, "reason": reason})
            continue
        try:
            if name in ENGINES:
                result["post_engines"] += _measure_engine(context, name)
            else:
                result["versions"].append({"system": name, "version": _system(context, name).version()})
                _measure_system(context, name, result)
        except (RuntimeError, OSError) as error:
            context.say(f"{name}: failed: {error}")
            result["failed"].append({"system": name, "reason": str(error)})
    return result


def _wants(context: Context, name: str) -> bool:
    systems = context.only & set(SYSTEMS)
    return not systems or name in systems or (name == "hapax" and "echo" in systems)


def _figures(context: Context) -> list:
    named = context.only & {*OUTCOMES}
    return [figure for figure in FIGURES if not named or figure in named]


def _system(context: Context, name: str) -> System:
    return Ledger(context.build) if name == "hapax" else PEERS[name](context.build)


def _unavailable(context: Context, name: str):
    return {"hapax_etcd": Etcd, "hapax_postgres": Postgres}[name](context.build).unavailable() if name in ENGINES else \
        _system(context, name).unavailable()


def _measure_system(context: Context, name: str, result: dict) -> None:
    system = _system(context, name)
    for figure in _figures(context):
        # Each starts with an empty database.
        with context.started_system(Echo(context.build, mutation="post")) as echo, \
                context.started_system(system) as running:
            for in_flight in IN_FLIGHT:
                with context.scratch() as scratch:
                    with_disk = (name, figure, in_flight) == ("hapax", "first_execution", 1)
                    beside = functools.partial(fdatasync, context, scratch) if with_disk else None
                    rows = measure_row(context, name, figure, in_flight, echo, running, beside)
                if with_disk:
                    result["disk"].append({key: rows[0].pop(key) for key in list(rows[0]) if key.startswith("fdatasync_")})
                result["post"] += rows


def _measure_engine(context: Context, name: str) -> list:
    rows = []
    with _store(context, name) as store:
        for figure in _figures(context):
            other = OnEtcd(context.build, store, "post") if name == "hapax_etcd" else \
                OnPostgres(context.build, store, Postgres, mutation="post")
            with context.started_system(LedgerOnStore(context.build, store)) as hapax, \
                    context.started_system(other) as peer:
                for in_flight in IN_FLIGHT:
                    pairs = measure_in_turn(context, [hapax], [peer], figure, in_flight=in_flight)
                    row = {"figure": figure, "system": name, "beside": name.replace("hapax_", "") + ", hand-written",
                           **summary(pairs, in_flight)}
                    context.say(f"post, {name} {figure}, {in_flight} in flight: {words(row)}")
                    rows.append(row)
    return rows


@contextlib.contextmanager
def _store(context: Context, name: str):
    """One member of etcd, or one PostgreSQL without a standby."""
    with context.scratch() as scratch:
        store = Members(1, scratch) if name == "hapax_etcd" else Cluster(scratch, with_standby=False)
        try:
            yield store
        finally:
            store.stop()
