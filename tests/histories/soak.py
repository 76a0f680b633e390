"""The faulty world of histories_test for long: round after round against one data directory, each checked before the
next begins. See scripts/soak."""

import argparse
import collections
import contextlib
import dataclasses
import pathlib
import random
import re
import sys
import tempfile
import time
from typing import Optional

import small_disk
import wrong_clock
from checker import check
from crash_rounds import CrashRounds
from harness import Server
from history import Policy
from postgres_round import FailoverRound, FailoverServers
from proxy import FAULTS
from report import Figures, as_lines
from round import Round
from shared_round import SharedRound
from shared_servers import SharedServers

OPERATIONS_A_ROUND = 5000
SECOND_NS = 10**9
DISK_MEGABYTES = 64
REPORT_EVERY_S = 60


@dataclasses.dataclass(frozen=True)
class World:
    """How long tokens are kept, and remembered after that; whether the disk gets full, and the server dies."""

    retention_s: float
    tombstone_s: float
    full_disk: bool = False
    dies: bool = True


# By turns. In one the same process serves all rounds, to show what becomes of its memory.
WORLDS = (World(86400, 86400), World(1, 1), World(2, 2, dies=False), World(5, 2), World(86400, 86400, full_disk=True),
          World(0.3, 0))


# Those of servers that share a cluster of etcd, and by how much a clock of theirs may be behind.
SHARED_WORLDS = (World(86400, 86400), World(3, 2))
SKEW_S = 1


def rss_kib(server: Server) -> int:
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def server_of(world: World) -> Server:
    return Server(*flags_of(world))


class Soak:
    """Rounds in worlds by turns; each keeps its server and data directory, but for the full disk."""

    def __init__(self, seed: int, disk_is_possible: bool):
        self.figures = Figures()
        self.first_rss_kib = None
        self.last_rss_kib = None
        self._seed = seed
        self._worlds = [world for world in WORLDS if disk_is_possible or not world.full_disk]
        self._servers = {}

    def close(self) -> None:
        for server in self._servers.values():
            server.close()

    def round(self, number: int) -> list:
        """Runs one; returns what is wrong with it, having kept its history."""
        world = self._worlds[number % len(self._worlds)]
        policy = policy_of(world)
        name = f"{self._seed}.{number}"
        if world.full_disk:
            return self._round_on_a_small_disk(name, world, policy)
        if world not in self._servers:
            self._servers[world] = server_of(world).start()
        server = self._servers[world]
        violations = checked(Round(name, server, policy, dies=world.dies), self.figures)
        if not world.dies:
            self.last_rss_kib = rss_kib(server)
            self.first_rss_kib = self.first_rss_kib or self.last_rss_kib
        return violations

    def _round_on_a_small_disk(self, name: str, world: World, policy: Policy) -> list:
        server = server_of(world)
        disk = small_disk.SmallDisk(server.dir / "disk", DISK_MEGABYTES)
        server.data_dir = disk.path / "data"
        try:
            return checked(Round(name, server.start(), policy, disk), self.figures)
        finally:
            server.close()
            disk.close()

    def __str__(self) -> str:
        return (f"{self.figures}; RSS of the server that lives: {self.first_rss_kib} KiB after its first round, "
                f"{self.last_rss_kib} KiB after its last")


# On what several servers run, by the name of the store.
STORES = {"etcd": (SharedServers, SharedRound), "postgres": (FailoverServers, FailoverRound)}


class SharedSoak:
    """Rounds against three servers on three members of etcd, or on a PostgreSQL with a standby; each world keeps its own.
    One clock is wrong at times."""

    def __init__(self, seed: int, store: str):
        self._servers_type, self._round_type = STORES[store]
        self.figures = Figures()
        self._seed = seed
        self._breaks = collections.Counter()
        self._servers = {}
        self._clock = None if wrong_clock.missing()[0] else wrong_clock.WrongClock()

    def close(self) -> None:
        for servers in self._servers.values():
            servers.close()
        if self._clock is not None:
            self._clock.close()

    def round(self, number: int) -> list:
        """Runs one; returns what is wrong with it, having kept its history."""
        world = SHARED_WORLDS[number % len(SHARED_WORLDS)]
        if world not in self._servers:
            self._servers[world] = self._servers_type(self._seed, *flags_of(world), clock=self._clock).start()
        servers = self._servers[world]
        policy = dataclasses.replace(policy_of(world), late_commits=True)
        if self._clock is not None:
            policy = dataclasses.replace(policy, clock_jumps=True, skew_ns=SKEW_S * SECOND_NS)
        round_ = self._round_type(f"{self._seed}.{number}", servers, policy)
        violations = checked(round_, self.figures)
        self._breaks.update({fault: count for fault, count in round_.faults.items() if fault not in FAULTS})
        return violations

    def __str__(self) -> str:
        faults = sum(servers.network.faults for servers in self._servers.values())
        return f"{self.figures}; {faults} faults between servers and their store; {dict(self._breaks)}"


def flags_of(world: World) -> tuple:
    return (f"--token_retention={world.retention_s}s", f"--token_tombstone_retention={world.tombstone_s}s",
            "--simulated_boot_latency=20ms", "--log_level=warning")


def policy_of(world: World) -> Policy:
    return Policy(int(world.retention_s * SECOND_NS), int(world.tombstone_s * SECOND_NS))


def checked(round_: Round, figures: Figures) -> list:
    try:
        round_.run(OPERATIONS_A_ROUND)
    except BaseException:
        keep(round_)
        raise
    violations = check(round_.history)
    figures.add(round_, violations)
    if violations:
        keep(round_)
    return violations


def keep(round_: Round) -> None:
    path = pathlib.Path(tempfile.mkdtemp(prefix="hapax-history-")) / "history.jsonl"
    round_.history.write(path)
    print(f"soak: the history is in {path}", flush=True)
    for name, text in round_.evidence().items():
        (path.parent / name).write_text(text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak")
    parser.add_argument("minutes", type=float)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--several_servers", action="store_true",
                        help="three servers on three members of etcd, of which any may die, pause or be cut off")
    parser.add_argument("--store", choices=STORES, default="etcd",
                        help="that of several servers; postgres: a primary with a synchronous standby, which pg_auto_failover "
                             "promotes, and --several_servers")
    parser.add_argument("--crash_test", metavar="PROGRAM", help="runs CrashRandomTest of that program beside it")
    arguments = parser.parse_args()
    arguments.several_servers |= arguments.store != "etcd"
    not_possible = small_disk.enter_own_namespace() if "--seed" in sys.argv else restart_with(arguments.seed)
    print(f"soak: --seed {arguments.seed}", flush=True)
    if not_possible:
        print(f"soak: without full disks: {not_possible}", flush=True)
    with CrashRounds(arguments.crash_test, arguments.seed) if arguments.crash_test else contextlib.nullcontext() as crashes:
        wrong = run(arguments, not not_possible, crashes)
    if crashes is not None:
        print(f"soak: beside that {crashes}", flush=True)
        if crashes.failure:
            print(crashes.failure, flush=True)
    return 1 if wrong or (crashes is not None and crashes.failure) else 0


def run(arguments: argparse.Namespace, disk_is_possible: bool, crashes: Optional[CrashRounds]) -> int:
    """Rounds until the time is over or something is wrong. Returns how much is."""
    begun_s = reported_s = time.monotonic()
    soak = SharedSoak(arguments.seed, arguments.store) if arguments.several_servers else Soak(arguments.seed, disk_is_possible)
    number, wrong = 0, 0
    try:
        while time.monotonic() < begun_s + 60 * arguments.minutes and not wrong and not (crashes and crashes.failure):
            violations = soak.round(number)
            for violation in violations:
                print(f"soak: {violation}", flush=True)
            wrong += len(violations)
            number += 1
            if time.monotonic() >= reported_s + REPORT_EVERY_S:
                reported_s = time.monotonic()
                print(f"soak: {(reported_s - begun_s) / 60:.1f} min: {soak}", flush=True)
    finally:
        soak.close()
        print(f"soak: after {(time.monotonic() - begun_s) / 60:.1f} min, --seed {arguments.seed}: {soak}\n"
              f"{as_lines(soak.figures.answers)}", flush=True)
    return wrong


def restart_with(seed: int) -> str:
    """Enters the namespace with the seed that was drawn, since that starts the program over."""
    sys.argv += ["--seed", str(seed)]
    return small_disk.enter_own_namespace()


if __name__ == "__main__":
    sys.exit(main())
