"""Several servers on the rows of one etcd cluster: a call has one effect, whichever server it reaches (C30), and what a
server leaves behind is taken up by the others (C14)."""

import unittest

import grpc

import catalogs
import wrong_clock
from case import EXECUTED, ContractCase, eventually, get_token, keypair, new_token, pages, run
from client import ADMIN, CALL_TIMEOUT_S, Client
from etcd import Etcd, SharedServer, shared_store
from harness import refused_start
from operations_test import OPERATIONS, RUNNING, stop, wait
from protos import admin_pb2, compute_pb2, resources_pb2

TOKENS_AT_ONCE = 20
HOUR_S = 3600
# HealthCheckResponse, serialized.
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


class SeveralServersTest(ContractCase):
    @classmethod
    def setUpClass(cls):
        cls.etcd = shared_store()
        cls.addClassCleanup(cls.etcd.close)
        cls.etcd.start()
        cls.servers = [cls.make(f"server-{i}", "--simulated_boot_latency=200ms").start() for i in range(3)]

    @classmethod
    def make(cls, server_id: str, *flags: str, **more) -> SharedServer:
        server = SharedServer(cls.etcd, server_id, *flags, **more)
        cls.addClassCleanup(server.close)
        return server

    def setUp(self):
        self.clients = [self.client_of(server) for server in self.servers]

    def client_of(self, server) -> Client:
        client = Client(server, self._testMethodName[:60])
        self.addCleanup(client.close)
        return client

    def state(self, client: Client, instance_id: str):
        found = pages(client, "DescribeInstances", "instances", instance_ids=[instance_id])
        return found[0].state

    def launch(self, client: Client) -> str:
        (instance,) = self.assertOutcome(client.call("RunInstances", run(new_token())), "executed").parsed.instances
        return instance.instance_id

    def test_C30_a_retry_at_another_server_gets_the_first_reply(self):
        first, second, third = self.clients
        token = new_token()
        reply = self.assertOutcome(first.call("RunInstances", run(token)), "executed")
        for other in (second, third, first):
            self.assertReplays(other.call("RunInstances", run(token)), reply)
        self.assertRefused(third.call("RunInstances", run(token, min_count=2)), "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assertEqual(get_token(second, token).parsed.token.state, EXECUTED)
        self.assertEqual(len(pages(second, "DescribeInstances", "instances")), 1)

    def test_C30_a_secret_is_replayed_and_a_list_goes_on_at_another_server(self):
        first, second, _ = self.clients
        for name in ("one", "two", "three"):
            token = new_token()
            reply = self.assertOutcome(first.call("CreateKeypair", keypair(token, name)), "executed")
            self.assertReplays(second.call("CreateKeypair", keypair(token, name)), reply)
        page = first.call("DescribeKeypairs", compute_pb2.DescribeKeypairsRequest(page_size=2)).parsed
        rest = second.call("DescribeKeypairs", compute_pb2.DescribeKeypairsRequest(
            page_size=2, page_token=page.next_page_token)).parsed
        self.assertEqual(len(page.key_pairs) + len(rest.key_pairs), 3)

    def test_C30_of_one_token_at_all_servers_at_once_one_attempt_is_executed(self):
        tokens = [new_token() for _ in range(TOKENS_AT_ONCE)]
        pending = {token: [client.start("RunInstances", run(token)) for client in self.clients] for token in tokens}
        for token, calls in pending.items():
            replies = [call.reply() for call in calls]
            self.assertEqual(sorted(str(reply.outcome) for reply in replies), ["executed", "replayed", "replayed"])
            self.assertEqual(len({reply.raw for reply in replies}), 1)
        instances = pages(self.clients[0], "DescribeInstances", "instances")
        self.assertEqual(sorted(i.client_token for i in instances), sorted(tokens))
        self.assertEqual(len({i.instance_id for i in instances}), TOKENS_AT_ONCE)
        self.assertEqual(len({i.private_ip_address for i in instances}), TOKENS_AT_ONCE)

    def test_C14_the_boot_of_a_killed_server_is_taken_over(self):
        doomed = self.make("doomed", "--simulated_boot_latency=1h").start()
        client = self.client_of(doomed)
        token = new_token()
        reply = self.assertOutcome(client.call("RunInstances", run(token)), "executed")
        doomed.kill()
        instance_id = reply.parsed.instances[0].instance_id
        eventually(lambda: self.state(self.clients[0], instance_id) == RUNNING, "the instance runs")
        self.assertReplays(self.clients[1].call("RunInstances", run(token)), reply)

    def test_C24_a_wait_ends_with_the_operation_of_another_server(self):
        first, second, _ = self.clients
        instance_id = self.launch(first)
        eventually(lambda: self.state(first, instance_id) == RUNNING, "the instance runs")
        token = new_token()
        operation = self.assertOutcome(first.call("StopInstance", stop(instance_id, token)), "executed").parsed
        waited = second.call(OPERATIONS + "WaitOperation", wait(operation.name)).parsed
        self.assertTrue(waited.done)
        self.assertEqual(self.state(second, instance_id), resources_pb2.INSTANCE_STATE_STOPPED)
        self.assertTrue(second.call("StopInstance", stop(instance_id, token)).parsed.done)

    def test_C30_a_call_outlives_a_restart_of_the_cluster(self):
        first, second, _ = self.clients
        token = new_token()
        self.etcd.kill()
        pending = first.start("RunInstances", run(token))
        self.etcd.start()
        reply = self.assertOutcome(pending.reply(), "executed")
        self.assertReplays(second.call("RunInstances", run(token)), reply)

    def test_of_two_processes_with_one_id_the_later_one_stops_the_other(self):
        earlier, later = self.make("twin").start(), self.make("twin")
        token = new_token()
        reply = self.assertOutcome(self.client_of(earlier).call("RunInstances", run(token)), "executed")
        channel = grpc.insecure_channel(earlier.address)
        self.addCleanup(channel.close)
        health = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=CALL_TIMEOUT_S)
        self.assertEqual(next(health), SERVING)
        later.start()
        self.assertEqual(next(health), NOT_SERVING)
        self.assertEqual(earlier.await_end(), 1)
        for part in ("another process took the slot twin", "server_id=twin", "docs/several-servers.md"):
            self.assertIn(part, earlier.stderr)
        self.assertReplays(self.client_of(later).call("RunInstances", run(token)), reply)

    def test_a_start_with_other_settings_than_the_running_servers_is_refused(self):
        for flag, names in (("--token_retention=48h", ("24h",)),
                            ("--max_tokens_per_tenant=7", ()),
                            ("--default_region=eu-west-1", ("us-east-1",)),
                            (f"--catalog_file={self.servers[0].write('catalog', catalogs.text(catalogs.small()))}", ("SHA-256",))):
            with self.subTest(flag):
                refusal = self.make("other", flag).refused_start()
                for part in (flag.split("=")[0], "stop all", *names):
                    self.assertIn(part, refusal)
        self.launch(self.clients[0])

    def test_the_first_server_to_start_decides_on_the_settings(self):
        prefix = "/settings"
        first = self.make("first", prefix=prefix).start()
        self.launch(self.client_of(first))
        first.kill()  # Its lease runs out.
        second = self.make("second", "--token_retention=48h", prefix=prefix).start()
        self.assertIn("token_policy.retention was 24h and is 48h", second.stderr)
        self.assertIn("--token_retention=24h", first.refused_start())

    def test_a_seal_key_file_that_is_missing_is_refused(self):
        missing = self.servers[0].dir / "missing"
        for prefix, advice in (("/new", "create it once"), ("/hapax", "copy it from another server")):
            refusal = self.make("keyless", f"--seal_key_file={missing}", prefix=prefix).refused_start()
            for part in (f"--seal_key_file={missing}: does not exist", advice):
                self.assertIn(part, refusal)
            self.assertFalse(missing.exists())

    def test_a_server_tells_its_store_and_makes_no_backups(self):
        status = self.clients[1].call(ADMIN + "GetStatus", admin_pb2.GetStatusRequest()).parsed
        self.assertEqual((status.store, status.server_id), (self.etcd.store, "server-1"))
        reply = self.clients[1].call(ADMIN + "CreateBackup", admin_pb2.CreateBackupRequest())
        self.assertRefused(reply, "UNIMPLEMENTED", says=[f"back up {self.etcd.place}"])


@unittest.skipIf(*wrong_clock.missing())
class ClocksTest(ContractCase):
    """Servers whose wall clocks differ."""

    def setUp(self):
        self.etcd = Etcd()
        self.addCleanup(self.etcd.close)
        self.etcd.start()

    def make(self, server_id: str, ahead_s: int) -> SharedServer:
        clock = wrong_clock.WrongClock()
        self.addCleanup(clock.close)
        clock.set(ahead_s)
        server = SharedServer(self.etcd, server_id)
        server.environment = clock.environment
        self.addCleanup(server.close)
        return server

    def test_C30_a_server_with_another_clock_starts_alone_and_not_beside_others(self):
        for ahead_s, differs in ((HOUR_S, "behind"), (-HOUR_S, "ahead of")):
            with self.subTest(ahead_s):
                wrong, right = self.make("wrong", ahead_s), self.make("right", 0)
                right.start()
                refusal = wrong.refused_start()
                for part in ("--max_clock_skew=10s: the clock of right is at least 59m", differs, "NTP"):
                    self.assertIn(part, refusal)
                right.stop()
                wrong.start()
                wrong.stop()

    def test_C30_a_clock_that_is_set_wrong_while_its_server_runs_is_told_and_changes_no_reply(self):
        clock = wrong_clock.WrongClock()
        self.addCleanup(clock.close)
        servers = [self.make("right", 0), self.make("wrong", 0)]
        servers[1].environment = clock.environment
        for server in servers:
            server.start()
        clients = [Client(server, "tenant") for server in servers]
        for client in clients:
            self.addCleanup(client.close)
        token = new_token()
        reply = self.assertOutcome(clients[0].call("RunInstances", run(token)), "executed")
        clock.set(25 * HOUR_S)
        for server, other in zip(servers, reversed(servers)):
            eventually(lambda: f"the clock of {other.server_id} is at least 24h59m" in server.stderr, "said in the log")
        for client in clients:
            self.assertReplays(client.call("RunInstances", run(token)), reply)


class FlagsTest(unittest.TestCase):
    def assertRefuses(self, *flags: str, names) -> None:
        with self.subTest(flags):
            refusal = refused_start("--listen_address=127.0.0.1:0", *flags)
            for name in names:
                self.assertIn(name, refusal)

    def test_what_does_not_fit_the_store_is_refused_by_name(self):
        sound = {"--store": "etcd", "--etcd_endpoints": "127.0.0.1:1", "--server_id": "a", "--seal_key_file": "/nowhere"}

        def etcd(**more) -> tuple:
            flags = sound | {f"--{name}": value for name, value in more.items()}
            return tuple(f"{name}={value}" for name, value in flags.items())

        self.assertRefuses("--store=mysql", names=["--store=mysql", "rocksdb, etcd, postgres"])
        for wrong, names in (({"server_id": ""}, ["--server_id="]),
                             ({"server_id": "a b"}, ["--server_id=a b"]),
                             ({"etcd_endpoints": ""}, ["--etcd_endpoints="]),
                             ({"etcd_endpoints": "127.0.0.1"}, ["--etcd_endpoints=127.0.0.1"]),
                             ({"etcd_prefix": "hapax"}, ["--etcd_prefix=hapax"]),
                             ({"etcd_cert_file": "/c"}, ["--etcd_key_file="]),
                             ({"etcd_ca_file": "/nowhere"}, ["--etcd_ca_file=/nowhere"]),
                             ({"data_dir": "/d"}, ["--data_dir=/d"]),
                             ({"backup_dir": "/b"}, ["--backup_dir=/b"]),
                             ({"seal_key_file": ""}, ["--seal_key_file="]),
                             ({"max_clock_skew": "0"}, ["--max_clock_skew=0"]),
                             ({"work_lease": "0"}, ["--work_lease=0"])):
            self.assertRefuses(*etcd(**wrong), names=names)
        for flag in ("--etcd_endpoints=127.0.0.1:1", "--server_id=a", "--etcd_ca_file=/c", "--etcd_prefix=/other"):
            self.assertRefuses("--data_dir=/nowhere/data", flag, names=[flag, "store=etcd"])

    def test_a_cluster_that_does_not_answer_is_named(self):
        self.assertRefuses("--store=etcd", "--etcd_endpoints=127.0.0.1:1", "--server_id=a", "--seal_key_file=/nowhere",
                           names=["--etcd_endpoints=127.0.0.1:1"])


if __name__ == "__main__":
    unittest.main()
