"""The primary of a PostgreSQL with a synchronous standby dies with all of its processes while callers go on: what was
acknowledged is replayed by every server, and nothing is executed twice."""

import itertools
import time
import unittest

from auto_failover import AutoFailover
from case import eventually, pages
from client import Client
from etcd import SharedServer
from protos import resources_pb2
from steady_callers import Callers

CALLERS = 4
SEED = 20261128
# Calls before and after a failover.
CALLS = 60
# A failover takes some six seconds.
NOTHING_FOR_S = 60


class FailoverTest(unittest.TestCase):
    def test_what_was_acknowledged_outlives_the_primary(self):
        database = AutoFailover()
        self.addCleanup(database.close)
        database.start()
        servers = []
        for i in range(3):
            server = SharedServer(database, f"server-{i}", "--simulated_boot_latency=100ms")
            self.addCleanup(server.close)
            servers.append(server.start())
        with Callers(servers, CALLERS, SEED) as callers:
            callers.await_more(CALLS)
            dead = database.primary()
            dead.kill()
            killed_at, before = time.monotonic(), len(callers.answered)
            eventually(lambda: callers.errors or len(callers.answered) > before + CALLERS, "calls after the failover",
                       patience_s=NOTHING_FOR_S)
            gap_s = time.monotonic() - killed_at
            callers.await_more(CALLS)
            dead.start()
            database.await_standby()
            callers.await_more(CALLS)
        callers.check()
        print(f"{len(callers.answered)} calls, {gap_s:.1f} s without one, again after {dict(callers.failed_attempts)}")
        self.assertNotEqual(database.primary(), dead)
        self.check_all(servers, callers)

    def check_all(self, servers: list, callers: Callers) -> None:
        clients = {(server, tenant): Client(server, tenant)
                   for server, tenant in itertools.product(servers, {call.tenant for call in callers.answered})}
        for client in clients.values():
            self.addCleanup(client.close)
        for call in callers.answered:
            for server in servers:
                self.assertEqual(call.wrong(clients[server, call.tenant].call(call.method, call.request)), "")
        for tenant in {call.tenant for call in callers.answered}:
            client = clients[servers[0], tenant]
            launched = {i.instance_id for call in callers.answered
                        if call.tenant == tenant and call.method == "RunInstances" for i in call.reply.instances}
            self.assertEqual({i.instance_id for i in pages(client, "DescribeInstances", "instances")}, launched)
            eventually(lambda: resources_pb2.INSTANCE_STATE_PENDING not in
                       {i.state for i in pages(client, "DescribeInstances", "instances")}, "the boots end")


if __name__ == "__main__":
    unittest.main()
