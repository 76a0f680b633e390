"""Servers on a store that several of them share, measured in pairs with something else."""

import concurrent.futures
import pathlib
import secrets
import statistics

from context import Context
from figures import OUTCOMES
from pairs import settle
from processes import ServerProcess
from systems import CATALOG, Running, System

IN_FLIGHT = 64


class HapaxOnStore(System):
    """Servers on a store that runs already. Its target is the first server.

    The store has `pids`, its processes, and hapax_flags(scratch), the flags of hapaxd for rows of its own there."""

    program = "hapaxd"
    # As in Running.
    mutation = "launch"

    def __init__(self, build: pathlib.Path, store, servers: int = 1, catalog: str = CATALOG):
        self._build = build
        self._store = store
        self._count = servers
        self._catalog = catalog
        self._servers = []

    def start(self, scratch: pathlib.Path) -> Running:
        keys = scratch / "seal_keys"
        keys.touch(mode=0o600)
        keys.write_text(f"key-1 {secrets.token_hex(32)}\n")
        flags = [*self._store.hapax_flags(scratch), *self.own_flags(scratch)]
        for i in range(self._count):
            self._servers.append(ServerProcess(
                self._build / self.program, "--listen_address=127.0.0.1:0", f"--server_id=server-{i}", *flags,
                f"--seal_key_file={keys}", stderr=scratch / f"{self.program}-{i}.log"))
        return self.all()[0]

    def own_flags(self, scratch: pathlib.Path) -> list:
        """The flags of what the servers host."""
        catalog = scratch / "catalog.textproto"
        catalog.write_text(self._catalog)
        return [f"--catalog_file={catalog}"]

    def all(self) -> list:
        """Each server; the first one with the store's processes."""
        return [Running(server.address, "grpc", [server.pid, *(self._store.pids if i == 0 else [])],
                        self.mutation)
                for i, server in enumerate(self._servers)]

    def stop(self) -> None:
        servers, self._servers = self._servers, []
        for server in servers:
            server.stop()


class LedgerOnStore(HapaxOnStore):
    """The bench's own service on such a store."""

    name = "hapax"
    program = "bench_ledger"
    mutation = "post"

    def own_flags(self, scratch: pathlib.Path) -> list:
        return []


def measure_in_turn(context: Context, ours: list, others: list, figure: str, *, outcome_of_others: str = "",
                    flags: tuple = (), in_flight: int = IN_FLIGHT) -> list:
    """Pairs of results, of our servers and of the other ones, `context.repeats` of them, in alternating order. All
    servers of a side are called at once, with `in_flight` calls at each; `flags` are those of the load on each."""
    pairs = []
    for repeat in range(context.repeats):
        runs = {}
        for side in ("ours", "others") if repeat % 2 == 0 else ("others", "ours"):
            servers = ours if side == "ours" else others
            runs[side] = _all_at_once(context, servers, figure,
                                      OUTCOMES[figure] if side == "ours" else outcome_of_others, flags, in_flight)
            settle(servers[0])
        pairs.append((runs["ours"], runs["others"]))
    return pairs


def _all_at_once(context: Context, servers: list, figure: str, outcome: str, flags: tuple,
                 in_flight: int) -> dict:
    """The sum of the throughputs, the median of the medians, the worst p99, and the CPU time of all a call."""
    with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
        runs = list(pool.map(
            lambda i: context.load(servers[i], figure, in_flight=in_flight, outcome=outcome,
                                   flags=flags[i] if flags else None), range(len(servers))))
    calls = sum(run["completed"] for run in runs)
    return {"rps": sum(run["rps"] for run in runs), "p50_us": statistics.median(run["p50_us"] for run in runs),
            "p99_us": max(run["p99_us"] for run in runs),
            "server_cpu_us_per_call": sum(run["server_cpu_us_per_call"] * run["completed"] for run in runs) / max(calls, 1)}


def summary(pairs: list, in_flight: int = IN_FLIGHT) -> dict:
    """The medians of pairs of results."""
    def median(key: str) -> float:
        return statistics.median(one[key] for one, _ in pairs)

    ratios = [one["rps"] / other["rps"] for one, other in pairs]
    return {"in_flight": in_flight, "rps": median("rps"), "beside_rps": statistics.median(other["rps"] for _, other in pairs),
            "ratio": round(statistics.median(ratios), 3), "ratio_min": round(min(ratios), 3),
            "ratio_max": round(max(ratios), 3), "p50_us": median("p50_us"), "p99_us": median("p99_us"),
            "cpu_us_per_call": round(median("server_cpu_us_per_call"), 1)}


def words(row: dict) -> str:
    """A row of summary() as a line of progress."""
    return (f"{row['rps']:,.0f}/s, {row['ratio']:.2f} of {row['beside']} ({row['ratio_min']:.2f} to "
            f"{row['ratio_max']:.2f})")
