"""hapaxctl admin copy: a store's rows move to another engine; tokens and secrets stay replayable, open work goes on."""

import shutil
import subprocess
import unittest

from case import eventually, keypair, new_token, pages, run
from client import CALL_TIMEOUT_S, Client
from ctl import NOT_NOW, USAGE, CtlCase
from etcd import Etcd, SharedServer
from harness import Server
from postgres import Postgres
from protos import resources_pb2

RUNNING = resources_pb2.INSTANCE_STATE_RUNNING
LAUNCHES = 400


class CopyTest(CtlCase):
    def setUp(self):
        super().setUp()
        self.old = Server("--simulated_boot_latency=1h")
        self.addCleanup(self.old.close)
        self.old.start()
        self.etcd = Etcd().start()
        self.addCleanup(self.etcd.close)
        self.shared = f"etcd:{self.etcd.endpoint}/hapax"

    def client_at(self, server) -> Client:
        client = Client(server, self.tenant)
        self.addCleanup(client.close)
        return client

    def serve(self, server, old: Server):
        """Starts a server with the seal keys of the old one."""
        self.addCleanup(server.close)
        shutil.copy(old.seal_key_file, server.dir / "seal_keys")
        return server.start()

    def copy(self, source: str, target: str, *flags: str):
        return self.run_ctl("admin", "copy", "--from", source, "--to", target, *flags)

    def assertServes(self, server, made: dict) -> Client:
        """Each token of `made` is replayed, and open boots end."""
        client = self.client_at(server)
        for token, (method, request, reply) in made.items():
            self.assertReplays(client.call(method, request), reply)
        return client

    def test_tokens_secrets_and_work_move_to_etcd_and_back(self):
        client = self.client_at(self.old)
        launch, pair = new_token(), new_token()
        made = {token: (method, request, self.assertOutcome(client.call(method, request), "executed"))
                for token, method, request in ((launch, "RunInstances", run(launch)),
                                               (pair, "CreateKeypair", keypair(pair, "moved")))}
        local = f"rocksdb:{self.old.data_dir}"
        self.assertFails(self.copy(local, self.shared), USAGE, str(self.old.data_dir), "in use")
        self.old.stop()
        moved = self.copy(local, self.shared)
        self.assertEqual(moved.code, 0, moved)
        self.assertGreater(int(moved.json["rowCount"]), 5)
        self.assertIn("moved to " + self.shared, self.old.refused_start())
        self.assertEqual(self.copy(local, self.shared).json, moved.json)  # Again, as if the first answer was lost.

        shared = self.serve(SharedServer(self.etcd, "server-1", "--simulated_boot_latency=20ms"), self.old)
        client = self.assertServes(shared, made)
        eventually(lambda: [i.state for i in pages(client, "DescribeInstances", "instances")] == [RUNNING], "the boot ends")
        token = new_token()
        made[token] = ("RunInstances", run(token), self.assertOutcome(client.call("RunInstances", run(token)), "executed"))

        new_dir = self.old.dir / "new"
        self.assertFails(self.copy(self.shared, f"rocksdb:{new_dir}"), USAGE, "a server runs on it")
        # The copy has begun, so no other server starts, until it is given up.
        late = SharedServer(self.etcd, "server-2")
        self.addCleanup(late.close)
        shutil.copy(self.old.seal_key_file, late.dir / "seal_keys")
        self.assertIn("admin copy --cancel", late.refused_start())
        self.assertEqual(self.run_ctl("admin", "copy", "--from", self.shared, "--cancel").code, 0)
        late.start()
        late.stop()
        shared.stop()
        self.assertFails(self.copy(self.shared, f"rocksdb:{new_dir}"), USAGE, "given up")
        new_dir = self.old.dir / "newer"
        self.assertEqual(self.copy(self.shared, f"rocksdb:{new_dir}").code, 0)
        back = Server("--simulated_boot_latency=20ms", f"--data_dir={new_dir}",
                      f"--seal_key_file={self.old.seal_key_file}")
        self.addCleanup(back.close)
        self.assertServes(back.start(), made)
        self.assertIn("moved to", late.refused_start())

    def copy_through_kills(self, source: str, target: str):
        """Copies all rows by processes that are killed, each later than the one before, until one ends by itself."""
        for delay_s in (0.05, 0.1, 0.15, 0.2, CALL_TIMEOUT_S):
            process = self.start_ctl("admin", "copy", "--from", source, "--to", target)
            try:
                process.wait(delay_s)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.assertEqual(process.returncode, 0, (source, target, process.communicate()))

    def test_copies_between_all_engines_that_are_killed_again_and_again_go_on(self):
        client = self.client_at(self.old)
        made = {}
        for token in (new_token() for _ in range(LAUNCHES)):
            made[token] = ("RunInstances", run(token), client.start("RunInstances", run(token)))
        made = {token: (method, request, self.assertOutcome(pending.reply(), "executed"))
                for token, (method, request, pending) in made.items()}
        self.old.stop()
        postgres = Postgres()
        self.addCleanup(postgres.close)
        tables = f"postgres:{postgres.start().conninfo_file}"
        local, second = (f"rocksdb:{directory}" for directory in (self.old.data_dir, self.old.dir / "second"))
        self.copy_through_kills(local, tables)
        self.copy_through_kills(tables, second)
        self.copy_through_kills(second, self.shared)
        at_etcd = self.serve(SharedServer(self.etcd, "server-1", "--simulated_boot_latency=1h"), self.old)
        token = new_token()
        reply = self.assertOutcome(self.assertServes(at_etcd, made).call("RunInstances", run(token)), "executed")
        made[token] = ("RunInstances", run(token), reply)
        at_etcd.stop()
        # Tables that rows were moved from never take rows again, so these are others.
        self.assertFails(self.copy(self.shared, tables), USAGE, "were moved to")
        third = ("--postgres-schema=third", "--postgres-isolation=serializable")
        self.assertFails(self.copy(self.shared, tables, "--postgres-isolation=none"), USAGE, "advisory_locks or serializable")
        self.assertEqual(self.copy(self.shared, tables, *third).code, 0)
        self.assertIn("moved to", at_etcd.refused_start())
        server = self.serve(SharedServer(postgres, "server-1", "--simulated_boot_latency=20ms", "--postgres_schema=third",
                                         "--postgres_isolation=serializable"), self.old)
        client = self.assertServes(server, made)
        eventually(lambda: {i.state for i in pages(client, "DescribeInstances", "instances")} == {RUNNING}, "all boots end")
        self.assertEqual(len(pages(client, "DescribeInstances", "instances")), len(made))
        server.stop()
        again = f"etcd:{self.etcd.endpoint}/again"
        self.assertFails(self.copy(tables, again, third[0]), USAGE, "postgres_isolation=advisory_locks", "serializable")
        self.assertEqual(self.copy(tables, again, *third).code, 0)
        self.assertIn("moved to", server.refused_start())

    def test_wrong_places_are_refused(self):
        self.old.stop()
        source = f"rocksdb:{self.old.data_dir}"
        self.assertFails(self.copy(source, "etcd:127.0.0.1:1/hapax"), NOT_NOW, "--to=etcd:127.0.0.1:1/hapax")
        self.assertFails(self.copy(f"rocksdb:{self.old.dir / 'typo'}", self.shared), USAGE, "--from", "is no data directory")
        self.assertFalse((self.old.dir / "typo").exists())
        self.assertFails(self.copy(f"etcd:{self.etcd.endpoint}/typo", self.shared), USAGE, "/typo: it has no rows")
        self.assertFails(self.run_ctl("admin", "copy", "--from", source), USAGE, "--to")
        self.old.start()  # None of these has begun.
        for place, says in (("rocksdb", "must be rocksdb:DIR or etcd:"), ("rocksdb:", "must be rocksdb:DIR"), ("etcd:127.0.0.1:1", "prefix"),
                            ("etcd:host/hapax", "host:port"), ("mysql:x", "must be rocksdb:DIR"), ("postgres:/nonexistent/x", "No such file")):
            self.assertFails(self.copy("rocksdb:/nonexistent/x", place), USAGE, "--from=rocksdb:/nonexistent/x")
            self.assertFails(self.copy(place, "rocksdb:/nonexistent/x"), USAGE, f"--from={place}", says)


if __name__ == "__main__":
    unittest.main()
