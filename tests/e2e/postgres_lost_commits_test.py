"""An asynchronous standby that lacks the last commits is promoted. A server that had acknowledged one of them says so, and
stops until an operator starts it again; whoever starts it accepts the loss."""

import unittest

import grpc

from case import ContractCase, eventually, new_token, run
from client import Client
from etcd import SharedServer
from postgres import Postgres
from several_servers_test import NOT_SERVING, SERVING

CALL_TIMEOUT_S = 60


class Pair:
    """A primary and its standby, as servers see them."""

    store = "postgres"
    place = "the database"

    def __init__(self, primary: Postgres, standby: Postgres):
        self._conninfo = primary.dir / "pair"
        ports = f"{primary.address.split(':')[1]},{standby.address.split(':')[1]}"
        self._conninfo.touch(mode=0o600)
        self._conninfo.write_text(f"host=127.0.0.1,127.0.0.1 port={ports} user=postgres dbname=postgres\n")

    def flags(self, prefix: str) -> tuple:
        return (f"--postgres_conninfo_file={self._conninfo}", f"--postgres_schema={prefix.strip('/')}")


class LostCommitsTest(ContractCase):
    def test_a_server_that_acknowledged_a_lost_commit_stops_and_says_so(self):
        primary = Postgres().start()
        self.addCleanup(primary.close)
        standby = Postgres(primary)
        self.addCleanup(standby.close)
        standby.start()
        server = SharedServer(Pair(primary, standby), "server-1", "--simulated_boot_latency=1h")
        self.addCleanup(server.close)
        client = Client(server.start(), "tenant")
        self.addCleanup(client.close)
        kept, lost = new_token(), new_token()
        reply = self.assertOutcome(client.call("RunInstances", run(kept)), "executed")
        sent = primary.sql("SELECT pg_current_wal_lsn()")
        eventually(lambda: standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{sent}'") == "t", "the standby has the call")

        standby.kill()
        for _ in range(3):  # On each of the server's slots.
            self.assertOutcome(client.call("RunInstances", run(new_token())), "executed")
        self.assertOutcome(client.call("RunInstances", run(lost)), "executed")
        channel = grpc.insecure_channel(server.address)
        self.addCleanup(channel.close)
        health = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=CALL_TIMEOUT_S)
        self.assertEqual(next(health), SERVING)
        primary.kill()
        standby.start()
        standby.sql("SELECT pg_promote()")
        refused = client.call("RunInstances", run(kept))
        self.assertFalse(refused.ok, refused)  # Nothing is told of a database that went back.
        self.assertEqual(next(health), NOT_SERVING)
        self.assertEqual(server.await_end(), 1)
        for part in ("the database lost commits that it had acknowledged", "the store has stopped for ever",
                     "docs/several-servers.md"):
            self.assertIn(part, server.stderr)

        # The operator has decided.
        client = Client(server.start(), "tenant")
        self.addCleanup(client.close)
        self.assertReplays(client.call("RunInstances", run(kept)), reply)
        self.assertOutcome(client.call("RunInstances", run(lost)), "executed")


if __name__ == "__main__":
    unittest.main()
