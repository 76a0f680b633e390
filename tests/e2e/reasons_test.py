"""Every reason of the closed list (C27), provoked through a running server; and the table of them in docs/errors.md."""

import re
import time
import unittest

import api_keys
import catalogs
import raw_http2
from case import (ServerCase, abandon_token, delete_keypair, eventually, hosts, keypair, new_token, release, run,
                  terminate, uuid7)
from client import OPERATIONS, SERVICE, Client, Reply
from harness import Server
from protos import compute_pb2, operations_pb2, resources_pb2
from reasons import REASONS, ROOT

NOT_FROM_OUTSIDE = {
    "INTERNAL": "a fault of the server's own, of which none is known",
    "TOKEN_RECORD_CORRUPT": "takes a damaged database: damage_test",
    "UNIMPLEMENTED": "takes a store without backups: several_servers_test",
    "CANCELLED": "whoever cancelled reads no answer: the log alone has it, see CancelledTest",
}
DAY_S = 24 * 3600


def start_instance(instance_id: str):
    return compute_pb2.StartInstanceRequest(client_token=new_token(), instance_id=instance_id)


class RawCall:
    """What Reply reads off a call, of a refusal that came over a bare connection."""

    def __init__(self, fields):
        self._fields = dict(fields)

    def code(self):
        status = int(self._fields["grpc-status"])
        return next(reason.code for reason in REASONS.values() if reason.code.value[0] == status)

    def details(self) -> str:
        return self._fields.get("grpc-message", b"").decode()

    def initial_metadata(self) -> list:
        return []

    def trailing_metadata(self) -> list:
        """As grpc shows it: without its own fields, and `-bin` values without the zero that says they are binary."""
        return [(name, value[1:] if name.endswith("-bin") else value.decode()) for name, value in self._fields.items()
                if name not in (":status", "content-type", "grpc-status", "grpc-message")]


class ReasonsTest(ServerCase):
    """Room for four m5.large a zone; a tenant may have five instances and two hosts."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        catalog = cls.server.write("catalog", catalogs.text(catalogs.small(instances=5, hosts=2, vcpus=8)))
        cls.server.flags = (f"--catalog_file={catalog}", "--simulated_boot_latency=1h")
        cls.server.start()

    def test_C27_every_reason_has_a_scenario_or_a_word_why_it_has_none(self):
        scenarios = {name[len("provoke_"):] for name in dir(self) if name.startswith("provoke_")}
        self.assertEqual(scenarios & set(NOT_FROM_OUTSIDE), set())
        self.assertEqual(scenarios | set(NOT_FROM_OUTSIDE), set(REASONS))

    def test_C27_every_reason_with_its_code_its_verdict_its_details_and_the_field(self):
        for name in REASONS:
            if name in NOT_FROM_OUTSIDE:
                continue
            with self.subTest(name):
                self.client = self.client_of(name)  # A tenant with nothing.
                reply, *field = getattr(self, "provoke_" + name)()
                self.assertRefused(reply, name, *field)
                self.assertNotIn("hapax-outcome", {**reply.initial, **reply.trailing})
                for part in field:
                    self.assertIn(part, reply.message)

    def launch(self, **fields) -> str:
        return self.client.call("RunInstances", run(**fields)).parsed.instances[0].instance_id

    def own_server(self, *flags: str) -> Client:
        """A client of a server that is started for one scenario."""
        self.own = Server(*flags)
        self.addCleanup(self.own.close)
        return self.client_of("tenant", self.own.start())

    def keyed_server(self, role: str) -> Client:
        """A client of a server that knows one key, which has this role."""
        keys = self.server.write("keys", api_keys.line_of("alice", "one", role))
        return self.own_server("--auth=api_key", f"--api_keys_file={keys}")

    # Each returns the refusal and, where there is one, the field that it must name.

    def provoke_INVALID_CLIENT_TOKEN(self):
        return self.client.call("RunInstances", run("two words")), "client_token"

    def provoke_CLIENT_TOKEN_CONFLICT(self):
        return self.client.call("RunInstances", run("one"), (("x-client-token", "other"),)), "x-client-token"

    def provoke_IDEMPOTENT_PARAMETER_MISMATCH(self):
        token = new_token()
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        reply = self.client.call("RunInstances", run(token, min_count=2))
        self.assertTrue(reply.message.startswith("IdempotentParameterMismatch"), reply.message)
        return reply, "min_count"

    def provoke_CLIENT_TOKEN_EXPIRED(self):
        return (self.client.call("RunInstances", run(uuid7(time.time() - 2 * DAY_S))),)

    def provoke_CLIENT_TOKEN_ABANDONED(self):
        token = new_token()
        self.assertTrue(abandon_token(self.client, token).ok)
        return (self.client.call("RunInstances", run(token)),)

    def provoke_TOKEN_STORE_UNAVAILABLE(self):
        client, request = self.own_server(), keypair(new_token())
        self.assertOutcome(client.call("CreateKeypair", request), "executed")
        self.own.stop()
        self.own.seal_key_file.write_text("key-2 " + "0" * 64 + "\n")
        self.own.start()
        return (client.call("CreateKeypair", request),)

    def provoke_OVERLOADED(self):
        client = self.own_server("--simulated_boot_latency=10ms")
        (instance,) = client.call("RunInstances", run()).parsed.instances
        stop = compute_pb2.StopInstanceRequest(instance_id=instance.instance_id)
        eventually(lambda: client.call("DescribeInstances", b"").parsed.instances[0].state
                   == resources_pb2.INSTANCE_STATE_RUNNING, "running")
        self.own.stop()
        self.own.flags = ("--simulated_boot_latency=1h", "--max_calls_in_flight=1")
        self.own.start()
        operation = client.call("StopInstance", stop).parsed
        # Two that wait for what takes an hour, of which one is one too many.
        waiting = [client.start(OPERATIONS + "WaitOperation", operations_pb2.WaitOperationRequest(name=operation.name))
                   for _ in range(2)]
        refused = eventually(lambda: [call for call in waiting if call.done], "a refusal")
        for call in waiting:
            if call not in refused:
                call.cancel()
        return (refused[0].reply(),)

    def provoke_UNAUTHENTICATED(self):
        return (self.keyed_server("write").call("RunInstances", run(new_token())),)

    def provoke_PERMISSION_DENIED(self):
        return (self.keyed_server("read").call("RunInstances", run(new_token()), api_keys.x_api_key("one")),)

    def provoke_INVALID_PARAMETER(self):
        return self.client.call("RunInstances", run(new_token(), min_count=-1)), "min_count"

    def provoke_UNKNOWN_REGION(self):
        return self.client.call("RunInstances", run(new_token(), region="mars-1")), "region"

    def provoke_UNKNOWN_AVAILABILITY_ZONE(self):
        return self.client.call("AllocateHosts", hosts(new_token(), zone="us-east-1z")), "availability_zone"

    def provoke_ZONE_SUBNET_CONFLICT(self):
        request = run(new_token(), zone="us-east-1a", subnet_id="subnet-b")
        return self.client.call("RunInstances", request), "subnet_id"

    def provoke_IMAGE_NOT_FOUND(self):
        return self.client.call("RunInstances", run(new_token(), image="ami-none")), "image_id"

    def provoke_SUBNET_NOT_FOUND(self):
        return self.client.call("RunInstances", run(new_token(), subnet_id="subnet-none")), "subnet_id"

    def provoke_KEYPAIR_NOT_FOUND(self):
        return self.client.call("DeleteKeypair", delete_keypair(new_token())), "key_name"

    def provoke_HOST_NOT_FOUND(self):
        return self.client.call("ReleaseHosts", release("h-00000000000000000", token=new_token())), "host_ids"

    def provoke_INSTANCE_NOT_FOUND(self):
        request = terminate("i-00000000000000000", token=new_token())
        return self.client.call("TerminateInstances", request), "instance_ids"

    def provoke_OPERATION_NOT_FOUND(self):
        request = operations_pb2.GetOperationRequest(name="operations/op-0")
        return self.client.call(OPERATIONS + "GetOperation", request), "name"

    def provoke_KEYPAIR_ALREADY_EXISTS(self):
        self.assertTrue(self.client.call("CreateKeypair", keypair()).ok)
        return self.client.call("CreateKeypair", keypair(new_token())), "key_name"

    def provoke_INCORRECT_INSTANCE_STATE(self):
        return self.client.call("StartInstance", start_instance(self.launch())), "instance_id"

    def provoke_INSUFFICIENT_INSTANCE_CAPACITY(self):
        return (self.client.call("RunInstances", run(new_token(), zone="us-east-1a", min_count=5)),)

    def provoke_QUOTA_EXCEEDED(self):
        return (self.client.call("RunInstances", run(new_token(), min_count=6)),)

    def provoke_DEADLINE_EXCEEDED(self):
        """gRPC itself cuts most such calls off, as their deadline passes. Asks until the server was faster."""
        head = raw_http2.headers(SERVICE + "RunInstances", [("grpc-timeout", b"1n")])
        body = raw_http2.message(run(new_token(), image="ami-none").SerializeToString())

        def answered():
            fields = raw_http2.refusal(raw_http2.exchange(self.server.address, head, body))
            reply = Reply("RunInstances", RawCall(fields), None) if fields else None
            return reply if reply and reply.retry and reply.reason != "IMAGE_NOT_FOUND" else None

        return (eventually(answered, "a deadline that the server found to have passed"),)


class CancelledTest(ServerCase):
    def test_C19_C27_a_call_that_was_cancelled_is_logged_as_that_and_leaves_nothing(self):
        """Most calls are over, one way or the other, when their cancellation arrives. Asks until one was not."""
        metadata = [("x-tenant-id", self.tenant.encode())]
        tokens = []

        def cancelled() -> bool:
            tokens.append(new_token())
            raw_http2.exchange(self.server.address, raw_http2.headers(SERVICE + "RunInstances", metadata),
                               raw_http2.message(run(tokens[-1]).SerializeToString()), raw_http2.cancel(),
                               until_answered=False)
            return '"result":"CANCELLED"' in self.server.stderr

        eventually(cancelled, "a call that was cancelled before it was executed")
        self.server.stop()
        self.server.start()
        results = re.findall(r'RunInstances","tenant":"[^"]*","result":"(\w+)"', self.server.stderr)
        # One that was cancelled before its message was read has nothing in it; one that the stop found under way is refused.
        self.assertLessEqual(set(results), {"executed", "CANCELLED", "INVALID_PARAMETER", "TOKEN_STORE_UNAVAILABLE"})
        self.assertEqual(len(self.instances()), results.count("executed"))
        self.assertLess(len(self.instances()), len(tokens))


class ErrorsPageTest(unittest.TestCase):
    def test_C27_the_table_in_docs_errors_is_the_list(self):
        page = (ROOT / "docs" / "errors.md").read_text()
        rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([a-z-]+) \|", page, re.MULTILINE)
        listed = [(reason.name, reason.code.name, reason.retry) for reason in REASONS.values()]
        self.assertEqual(rows, listed)


if __name__ == "__main__":
    unittest.main()
