"""Clients that retry, through a network that breaks what it carries: every logical call makes one effect, and its
caller gets its reply (C8, C9, C13 to C15). So also when the server is killed now and then, and when the client is, and
takes its calls up again from its journal.

HAPAX_SEED sets the random numbers; HAPAX_CALLS the number of calls of the first test."""

import collections
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unittest

from case import pages
from client import Client
from harness import Server
from proxy import Proxy

HOSTILE_CLIENT = os.environ.get("HOSTILE_CLIENT") or sys.exit("HOSTILE_CLIENT: set it to the path of hostile_client")
SEED = int(os.environ.get("HAPAX_SEED") or random.SystemRandom().randrange(2**32))
CALLS = int(os.environ.get("HAPAX_CALLS") or 1000)
PROCESSES = 4
THREADS = 2
TENANT = "hostile"
CLIENT_TIMEOUT_S = 200


class HostileClient:
    """hostile_client as a process, that appends its lines to a file."""

    def __init__(self, out: pathlib.Path, proxy: Proxy, **flags):
        flags = {"endpoint": proxy.address, "tenant": TENANT, "threads": THREADS, **flags}
        command = ["setpriv", "--pdeathsig", "KILL", HOSTILE_CLIENT, *(f"--{k}={v}" for k, v in flags.items())]
        with open(out, "ab") as stdout:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout)

    def wait(self) -> int:
        return self.process.wait(timeout=CLIENT_TIMEOUT_S)

    def kill(self) -> bool:
        """SIGKILL. Whether it still ran."""
        self.process.kill()
        return self.process.wait() != 0


class HostileNetworkTest(unittest.TestCase):
    def setUp(self):
        print(f"HAPAX_SEED={SEED}", flush=True)
        self.chance = random.Random(f"{SEED}.{self._testMethodName}")
        self.server = Server("--simulated_boot_latency=100ms")
        self.addCleanup(self.server.close)
        self.server.start()
        work = tempfile.TemporaryDirectory(prefix="hapax-hostile-")
        self.addCleanup(work.cleanup)
        self.out = pathlib.Path(work.name) / "lines"
        self.journal = pathlib.Path(work.name) / "journal"

    def proxy(self, fault_rate: float) -> Proxy:
        proxy = Proxy(self.server, self.chance.randrange(2**32), fault_rate)
        self.addCleanup(proxy.close)
        return proxy

    def clients(self, proxy: Proxy, calls: int) -> list:
        started = [HostileClient(self.out, proxy, calls=calls // PROCESSES, seed=self.chance.randrange(2**32))
                   for _ in range(PROCESSES)]
        for client in started:
            self.addCleanup(client.kill)
        return started

    def lines(self) -> list:
        """(token, outcome, attempts, instance ids) of every line."""
        found = [line.split("\t") for line in self.out.read_text().splitlines()]
        return [(token, outcome, int(attempts), ids.split(",")) for token, outcome, attempts, ids in found]

    def assertEachCallOnce(self, proxy: Proxy) -> dict:
        """What the callers were told is what the server has: for each token one reply, and its instance, and no more.
        Returns the replies, by token."""
        replies = {}
        outcomes = collections.Counter()
        attempts = 0
        for token, outcome, count, ids in self.lines():
            self.assertIn(outcome, ("executed", "replayed"), token)
            self.assertEqual(len(ids), 1)
            self.assertEqual(replies.setdefault(token, ids), ids, "two replies to one call")
            outcomes[outcome] += 1
            attempts += count
        direct = Client(self.server, TENANT)
        self.addCleanup(direct.close)
        instances = pages(direct, "DescribeInstances", "instances", page_size=1000)
        effects = collections.defaultdict(list)
        for instance in instances:
            effects[instance.client_token].append(instance.instance_id)
        self.assertEqual(dict(effects), replies)
        print(f"{self._testMethodName}: {len(replies)} calls, {attempts} attempts known to their callers, "
              f"{proxy.requests} requests on the network, {sum(proxy.faults.values())} faults, "
              f"{self.server.starts} servers, {len(instances)} effects; {dict(outcomes)}; {dict(proxy.faults)}", flush=True)
        self.assertGreater(outcomes["replayed"], 0, "no reply was lost")
        return replies

    def test_C8_C9_C13_C15_calls_through_faults_take_effect_once(self):
        proxy = self.proxy(fault_rate=0.3)
        for client in self.clients(proxy, CALLS):
            self.assertEqual(client.wait(), 0)
        self.assertEqual(len(self.assertEachCallOnce(proxy)), CALLS)
        self.assertEqual(len(self.lines()), CALLS)
        self.assertGreater(sum(proxy.faults.values()), CALLS * 0.3)
        self.assertEqual(len(proxy.faults), 7, "every kind of fault")

    def test_C14_so_they_do_when_the_server_is_killed(self):
        proxy = self.proxy(fault_rate=0.1)
        calls = CALLS // 2
        clients = self.clients(proxy, calls)
        while any(client.process.poll() is None for client in clients):
            time.sleep(self.chance.uniform(0.3, 1.0))  # The moment of the kill is what is random.
            self.server.kill()
            self.server.start()
        for client in clients:
            self.assertEqual(client.wait(), 0)
        self.assertEqual(len(self.assertEachCallOnce(proxy)), calls)
        self.assertGreater(self.server.starts, 2)

    def test_C15_so_they_do_when_the_client_is_killed_and_resumes_from_its_journal(self):
        proxy = self.proxy(fault_rate=0.2)
        kills = 0
        while kills < 8:
            client = HostileClient(self.out, proxy, calls=100_000, journal=self.journal, threads=4,
                                   seed=self.chance.randrange(2**32))
            self.addCleanup(client.kill)
            time.sleep(self.chance.uniform(0.2, 1.0))  # As above.
            self.assertTrue(client.kill(), "it ended by itself")
            kills += 1
        last = HostileClient(self.out, proxy, calls=0, journal=self.journal)
        self.addCleanup(last.kill)
        self.assertEqual(last.wait(), 0, "the journal is not empty")
        replies = self.assertEachCallOnce(proxy)
        print(f"{kills} kills of the client, {len(self.lines()) - len(replies)} replies told of twice", flush=True)
        self.assertGreater(len(replies), 20)


if __name__ == "__main__":
    unittest.main()
