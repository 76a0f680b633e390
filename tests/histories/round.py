"""A round: callers on a faulty network, a server that dies, and in the end a history that has to be explained."""

import collections
import concurrent.futures
import random
import threading
import time

from board import Board
from caller import Caller, Recorder
from case import delete_keypair, eventually, pages, release, terminate
from client import Client
from harness import Server
from history import History, Policy
from plans import Planner
from proxy import Proxy

CALLERS = 8
FAULT_RATE = 0.1
# A server lives for so many calls.
CALLS_OF_A_SERVER = (50, 500)
PATIENCE_S = 60
# By how many seconds a wrong clock is ahead.
CLOCK_OFFSETS = (0, 90_000, 40 * 86_400, -3_600, -400 * 86_400)


class Round:
    """One history against a server that runs; afterwards it runs, or another in its place, without what the round made.

    `disk`, if there is one, is what the server's data lies on; it is filled up now and then. With `dies`, the server
    does. `clock`, if there is one, is the server's (wrong_clock.py), and is set again and again; at the end it is right."""

    _calls_between_breaks = CALLS_OF_A_SERVER

    def __init__(self, seed: str, server: Server, policy: Policy, disk=None, dies=True, clock=None):
        self.history = History(policy)
        self.faults = collections.Counter()
        self.kills = 0
        self.stops = 0
        self.effects = 0
        self._seed = seed
        self._chance = random.Random(f"{seed}.round")
        self._server = server
        self._disk = disk
        self._dies = dies
        self._clock = clock

    def run(self, operations: int) -> "Round":
        planner = Planner(self._seed, self.history.policy, self._subnets(f"{self._seed}.a"))
        board = Board(planner, self.history)
        self._hostile(board, operations)
        # From here on nothing goes wrong any more.
        if self._clock is not None:
            self._clock.set(0)
        if self._dies:
            # What is under way dies with it.
            self._server.kill()
            self.history.kills.append(time.monotonic_ns())
            self._server.start()
            self.history.settled_ns = time.monotonic_ns()
        recorder = Recorder(self.history, self._server)
        try:
            for tenant in planner.tenants:
                recorder.take_stock(tenant)
            for plan in board.plans:
                if plan.key.token:
                    recorder.ask("get", plan)
                    recorder.execute(plan, plan.attempts[0])
            self.effects = sum(recorder.take_stock(tenant) for tenant in planner.tenants)
            for tenant in planner.tenants:
                self._clean_up(recorder.client(tenant))
        finally:
            recorder.close()
        return self

    def evidence(self) -> dict:
        """What else tells how the round went, by the name of the file to keep it in."""
        return {}

    def _subnets(self, tenant: str) -> dict:
        client = Client(self._server, tenant)
        try:
            return {s.availability_zone: s.subnet_id for s in pages(client, "DescribeSubnets", "subnets")}
        finally:
            client.close()

    def _hostile(self, board: Board, operations: int) -> None:
        """Callers, and all that can go wrong, until there are so many operations."""
        proxy = Proxy(self._server, self._chance.randrange(2**32), FAULT_RATE)
        up, stopped = threading.Event(), threading.Event()
        up.set()
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            callers = [Caller(Recorder(self.history, proxy), board, up, random.Random(f"{self._seed}.caller.{i}"))
                       for i in range(CALLERS)]
            running = [pool.submit(caller.run, stopped) for caller in callers]
            try:
                while not self._is_over(operations):
                    self.history.await_more(self._chance.randint(*self._calls_between_breaks), PATIENCE_S)
                    self._break(up)
            finally:
                stopped.set()
                up.set()
                proxy.close()
            for caller in running:
                caller.result()
        self.faults.update(proxy.faults)

    def _is_over(self, operations: int) -> bool:
        return len(self.history.operations) >= operations

    def _break(self, up: threading.Event) -> None:
        if self._clock is not None:
            self._clock.set(self._chance.choice(CLOCK_OFFSETS))
            self.faults["clock set"] += 1
        if not self._dies:
            return
        full = self._disk is not None and self._chance.random() < 0.5
        if full:
            self._disk.fill()
            self.faults["disk full"] += 1
            self.history.await_more(self._chance.randint(*CALLS_OF_A_SERVER), PATIENCE_S)
            if self._chance.random() < 0.5:
                self._disk.free()
                return
        up.clear()
        if self._chance.random() < 0.25:
            self._server.stop()
            self.stops += 1
        else:
            self._server.kill()
            self.kills += 1
        self.history.kills.append(time.monotonic_ns())
        if full:
            self._disk.free()
        self._server.start()
        up.set()

    def _clean_up(self, client: Client) -> None:
        """Gives back what the round took of capacity and quota."""
        by_region = collections.defaultdict(list)
        for instance in pages(client, "DescribeInstances", "instances", page_size=1000):
            by_region[instance.region].append(instance.instance_id)
        requests = [("TerminateInstances", terminate(*ids[i:i + 1000], region=region))
                    for region, ids in by_region.items() for i in range(0, len(ids), 1000)]
        requests += [("ReleaseHosts", release(host.host_id, region=host.region))
                     for host in pages(client, "DescribeHosts", "hosts", page_size=1000)]
        requests += [("DeleteKeypair", delete_keypair(name=pair.key_name, region=pair.region))
                     for pair in pages(client, "DescribeKeypairs", "key_pairs", page_size=1000)]
        for request in requests:
            eventually(lambda: client.call(*request).ok, f"{request[0]} after the round")
