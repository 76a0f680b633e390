"""Servers of an earlier release are replaced by those of today under load, one at a time, and one goes back: every call
that was acknowledged is replayed by every server, and has one effect (C30). See scripts/rolling_upgrade.

HAPAXD is today's, and HAPAXD_BEFORE the earlier release's."""

import argparse
import collections
import itertools
import os
import random
import sys
import time
import unittest

from case import ContractCase, eventually, keypair, new_token, pages, run
from client import Client
from etcd import Etcd, SharedServer
from harness import HAPAXD
from operations_test import OPERATIONS, RUNNING, STOPPED, get, stop, wait
from protos import compute_pb2, operations_pb2, resources_pb2
from steady_callers import Callers, reordered

BEFORE = os.environ.get("HAPAXD_BEFORE") or sys.exit("HAPAXD_BEFORE: set it to the earlier release's hapaxd")
SERVERS = 3
CALLERS = 6
# Acknowledged while a server is down, and once it is back.
CALLS_A_STEP = 40
# Of the calls that are asked again, in flight at once.
AT_ONCE = 64
# Of the latest calls, in another encoding: then the servers compare what the parameters mean.
REORDERED = 300
# So that the server which is stopped has boots that have not ended.
FLAGS = ("--simulated_boot_latency=1s",)
TAKEN_UP = "pieces of work are taken up"
TERMINATED = resources_pb2.INSTANCE_STATE_TERMINATED
QUIET = "quiet"
SEED = random.randrange(2**32)


class RollingUpgradeTest(ContractCase):
    def setUp(self):
        print(f"seed {SEED}", flush=True)
        etcd = Etcd()
        self.addCleanup(etcd.close)
        etcd.start()
        self.servers = [SharedServer(etcd, f"server-{i}", *FLAGS) for i in range(SERVERS)]
        for server in self.servers:
            server.program = BEFORE
            self.addCleanup(server.close)
            server.start()
        self.quiet = self.clients_of(QUIET)
        self.of_quiet = {}  # The last state of each instance of that tenant, by id.
        self.replays = 0

    def clients_of(self, tenant: str) -> list:
        """One for each server."""
        clients = [Client(server, tenant) for server in self.servers]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def test_C30_a_rolling_upgrade_and_a_step_back(self):
        for i in range(5):
            reply = self.quiet[i % SERVERS].call("CreateKeypair", keypair(new_token(), f"quiet-{i}"))
            self.assertOutcome(reply, "executed")
        with Callers(self.servers, CALLERS, SEED) as callers:
            callers.await_more(2 * CALLS_A_STEP)
            self.check("all are the earlier release", callers)
            for server in self.servers:
                self.replace(server, HAPAXD, callers)
                self.check(f"{server.server_id} is today's", callers)
            self.replace(self.servers[0], BEFORE, callers)
            self.check("server-0 is the earlier release again", callers)
        callers.check()
        for server in self.servers:
            server.stop()
        for server in self.servers:
            server.program = HAPAXD
            server.start()
        self.check("all were stopped, and are today's", callers)
        self.check_effects(callers)

    def replace(self, server: SharedServer, program: str, callers: Callers) -> None:
        """The others serve meanwhile, and boot what it was booting."""
        i = self.servers.index(server)
        others = self.servers[:i] + self.servers[i + 1:]
        taken_up_before = sum(other.stderr.count(TAKEN_UP) for other in others)
        instance_id = self.launched(self.quiet[i])
        server.stop()
        callers.await_more(CALLS_A_STEP)
        self.await_states(self.quiet[i - 1], {instance_id: RUNNING}, instance_ids=[instance_id])
        self.assertGreater(sum(other.stderr.count(TAKEN_UP) for other in others), taken_up_before)
        server.program = program
        server.start()
        callers.await_more(CALLS_A_STEP)

    def check(self, step: str, callers: Callers) -> None:
        """What must hold after each step, at all servers."""
        began = time.monotonic()
        calls = list(callers.answered)
        for server in self.servers:
            self.assert_replayed(server, [(call, call.request) for call in calls])
            self.assert_replayed(server, [(call, reordered(call.request)) for call in calls[-REORDERED:]])
        for first, second in itertools.permutations(self.quiet, 2):
            self.check_pages(first, second)
        self.check_operations_between(list(itertools.permutations(self.quiet, 2)))
        callers.check()
        print(f"{step}: {len(calls)} calls acknowledged, each replayed by each of {SERVERS} servers in "
              f"{time.monotonic() - began:.1f} s; attempts retried so far: {dict(callers.failed_attempts)}", flush=True)

    def assert_replayed(self, server: SharedServer, retries: list) -> None:
        """Each is a call, and what is sent again."""
        clients = {tenant: Client(server, tenant) for tenant in {call.tenant for call, _ in retries}}
        try:
            for begin in range(0, len(retries), AT_ONCE):
                some = retries[begin:begin + AT_ONCE]
                pending = [clients[call.tenant].start(call.method, request) for call, request in some]
                wrong = [call.wrong(answer.reply()) for (call, _), answer in zip(some, pending)]
                self.assertEqual([each for each in wrong if each], [], server.server_id)
                self.replays += len(some)
        finally:
            for client in clients.values():
                client.close()

    def check_pages(self, first: Client, second: Client) -> None:
        """A list that one server begins goes on at the other."""
        page = first.call("DescribeKeypairs", compute_pb2.DescribeKeypairsRequest(page_size=2)).parsed
        rest = second.call("DescribeKeypairs", compute_pb2.DescribeKeypairsRequest(
            page_size=2, page_token=page.next_page_token)).parsed
        last = first.call("DescribeKeypairs", compute_pb2.DescribeKeypairsRequest(
            page_size=2, page_token=rest.next_page_token)).parsed
        names = [pair.key_name for part in (page, rest, last) for pair in part.key_pairs]
        self.assertEqual(names, [f"quiet-{i}" for i in range(5)])
        self.assertEqual(last.next_page_token, "")

    def check_operations_between(self, pairs: list) -> None:
        """An operation that one server begins is waited for at another, and is the same at all."""
        ids = [self.launched(first) for first, _ in pairs]
        for (_, second), instance_id in zip(pairs, ids):
            self.await_states(second, {instance_id: RUNNING}, instance_ids=[instance_id])
        requests = [stop(instance_id, new_token()) for instance_id in ids]
        begun = [self.assertOutcome(first.call("StopInstance", request), "executed").parsed
                 for (first, _), request in zip(pairs, requests)]
        for (_, second), request, operation in zip(pairs, requests, begun):
            waited = second.call(OPERATIONS + "WaitOperation", wait(operation.name))
            self.assertTrue(waited.parsed.done, waited)
            self.of_quiet[request.instance_id] = STOPPED
            for client in self.quiet:
                self.assertEqual(client.call(OPERATIONS + "GetOperation", get(operation.name)).raw, waited.raw)
                self.assertReplays(client.call("StopInstance", request), waited)

    def launched(self, client: Client) -> str:
        """The id of a new instance of the quiet tenant."""
        reply = self.assertOutcome(client.call("RunInstances", run(new_token())), "executed")
        instance_id = reply.parsed.instances[0].instance_id
        self.of_quiet[instance_id] = RUNNING
        return instance_id

    def await_states(self, client: Client, expected: dict, **fields) -> None:
        eventually(lambda: self.states(client, **fields) == expected, f"{len(expected)} instances in their last states")

    def states(self, client: Client, **fields) -> dict:
        """By id."""
        return {each.instance_id: each.state for each in pages(client, "DescribeInstances", "instances", **fields)}

    def check_effects(self, callers: Callers) -> None:
        """Each acknowledged call has its effect once, as each server tells, and nothing else is there."""
        made = collections.defaultdict(lambda: collections.defaultdict(list))  # By tenant, and by method.
        for call in callers.answered:
            made[call.tenant][call.method].append(call)
        for tenant, by_method in made.items():
            expected = {}
            for call in by_method["RunInstances"]:
                expected |= {each.instance_id: RUNNING for each in call.reply.instances}
            for call in by_method["StopInstance"]:
                expected[call.request.instance_id] = STOPPED
            for call in by_method["TerminateInstances"]:
                expected |= {each: TERMINATED for each in call.request.instance_ids}
            for client in self.clients_of(tenant):
                self.await_states(client, expected)
                self.assertEqual(sorted(each.client_token for each in pages(client, "DescribeInstances", "instances")),
                                 sorted(call.request.client_token for call in by_method["RunInstances"]))
                self.assertEqual(sorted(pair.key_pair_id for pair in pages(client, "DescribeKeypairs", "key_pairs")),
                                 sorted(call.reply.key_pair_id for call in by_method["CreateKeypair"]))
                self.assertEqual(sorted(host.host_id for host in pages(client, "DescribeHosts", "hosts")),
                                 sorted(each for call in by_method["AllocateHosts"] for each in call.reply.host_ids))
            self.check_operations(by_method["StopInstance"], tenant)
        for client in self.quiet:
            self.await_states(client, self.of_quiet)
        counts = collections.Counter(call.method for call in callers.answered)
        print(f"acknowledged: {dict(counts)}; replayed: {self.replays}", flush=True)

    def check_operations(self, stops: list, tenant: str) -> None:
        """Each stop is one operation, which has ended, and no other is there."""
        for client in self.clients_of(tenant):
            request = operations_pb2.ListOperationsRequest(page_size=1000)
            listed = client.call(OPERATIONS + "ListOperations", request).parsed.operations
            self.assertEqual(sorted(each.name for each in listed), sorted(call.reply.name for call in stops))
            self.assertTrue(all(each.done for each in listed))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=SEED)
    arguments, rest = parser.parse_known_args()
    SEED = arguments.seed
    unittest.main(argv=[sys.argv[0], *rest])
