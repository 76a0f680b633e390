"""Limits of what a call or a tenant may take: each is a flag, and what is over it is refused by name, with no effect."""

import re
import resource
import socket
import unittest

import grpc

import raw_http2
from api_keys import bearer, line_of
from case import ServerCase, eventually, new_token, run
from client import OPERATIONS, SERVICE, TOKENS, Client
from harness import Server, refused_start
from protos import compute_pb2, operations_pb2, resources_pb2, tokens_pb2

MESSAGE_BYTES = 20_000
METADATA_BYTES = 4_000
# Of connections that have no call, more than there may be.
STRANGERS, MAX_STRANGERS = 900, 256
ENDLESS = 1 << 30


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def tagged(length: int) -> bytes:
    """A RunInstances request of that many bytes, with a tag that is too long for the handler."""
    request = run()
    request.tags["k"] = ""
    request.tags["k"] = "v" * (length - request.ByteSize())
    while request.ByteSize() > length:
        request.tags["k"] = request.tags["k"][:-1]
    return request.SerializeToString()


class MessageTest(ServerCase):
    flags = (f"--max_message_bytes={MESSAGE_BYTES}", f"--max_metadata_bytes={METADATA_BYTES}",
             "--log_level=info")

    def results(self) -> list:
        """How the calls of this tenant ended, as the server's log has it."""
        return re.findall(rf'"tenant":"{re.escape(self.tenant)}","result":"(\w+)"', self.server.stderr)

    def test_a_message_up_to_the_limit_reaches_the_handler_and_one_beyond_it_is_refused_by_grpc(self):
        request = tagged(MESSAGE_BYTES)
        self.assertEqual(len(request), MESSAGE_BYTES)
        self.assertRefused(self.client.call("RunInstances", request), "INVALID_PARAMETER", "tags")
        reply = self.client.call("RunInstances", tagged(MESSAGE_BYTES + 1))
        self.assertIs(reply.code, grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertIn(str(MESSAGE_BYTES + 1), reply.message)
        self.assertIn(str(MESSAGE_BYTES), reply.message)
        self.assertOutcome(self.client.call("RunInstances", run(new_token())), "executed")
        self.assertEqual(len(self.instances()), 1)
        # A message that never came is no wrong parameter. The log is written a little later than the reply.
        found = eventually(lambda: len(self.results()) >= 4 and self.results(), "a line for each call")
        self.assertEqual(found[:3], ["INVALID_PARAMETER", "CANCELLED", "executed"])

    def test_metadata_beyond_the_limit_is_refused_by_grpc(self):
        # gRPC 1.51 closes the connection, too.
        greedy = self.client_of(self.tenant)
        reply = greedy.call("RunInstances", run(), (("x-padding", "p" * METADATA_BYTES),))
        self.assertIs(reply.code, grpc.StatusCode.RESOURCE_EXHAUSTED, reply)
        self.assertEqual(self.instances(), [])
        self.assertOutcome(self.client.call("RunInstances", run(new_token()), (("x-padding", "p" * 2_000),)), "executed")


class StrangerTest(unittest.TestCase):
    """C32: how many bytes the server takes from callers that nobody knows, and how many connections of theirs it keeps.
    What memory that takes is measured by bench/strangers."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.flags = ("--auth=api_key", f"--api_keys_file={self.server.write('keys', line_of('alice', 'key'))}")
        self.server.start()

    def test_C32_a_request_is_refused_unread_and_a_question_is_cut_off(self):
        # Nobody sends a last byte, so whatever is answered was answered without the message.
        sent, received = raw_http2.pour(self.server.address, SERVICE + "RunInstances", [], ENDLESS)
        self.assertEqual(dict(raw_http2.refusal(received))["grpc-status"], b"16")
        self.assertLess(sent, 1 << 20)
        for method in ("/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                       "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"):
            with self.subTest(method):
                sent, received = raw_http2.pour(self.server.address, method, [], ENDLESS)
                self.assertIn(b"longer than any question", dict(raw_http2.refusal(received))["grpc-message"])
                self.assertLess(sent, ENDLESS)

    def test_C32_headers_that_do_not_end_are_cut_off(self):
        for _ in range(3):
            self.assertLess(raw_http2.pour_headers(self.server.address, SERVICE + "RunInstances", ENDLESS), ENDLESS)

    def test_C32_connections_without_a_call_go_for_others(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        known, unknown = Client(self.server, metadata=bearer("key")), Client(self.server, metadata=bearer("nobody"))
        self.addCleanup(known.close)
        self.addCleanup(unknown.close)
        self.assertTrue(known.call("RunInstances", run(new_token())).ok)
        self.assertFalse(unknown.call("RunInstances", run(new_token())).ok)  # No call of it is admitted.
        held = [self.begin_call() for _ in range(STRANGERS)]
        # A new client gets its turn among them, and one that is known keeps its connection.
        newcomer = Client(self.server, metadata=bearer("key"))
        self.addCleanup(newcomer.close)
        # On a busy machine it may be too slow once, and be reset as a stranger.
        first = run(new_token())
        eventually(lambda: newcomer.call("RunInstances", first).ok, "a turn for a new client")
        self.assertTrue(known.call("RunInstances", run(new_token())).ok)
        eventually(lambda: sum(map(is_open, held)) <= MAX_STRANGERS, "all but as many as there may be are reset")

    def begin_call(self) -> socket.socket:
        """A connection with a call whose headers, 80 KB of them, do not end."""
        host, port = self.server.address.split(":")
        connection = socket.create_connection((host, int(port)), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(raw_http2.begun_headers(SERVICE + "RunInstances") + 5 * raw_http2.more_headers())
        return connection


class RateTest(ServerCase):
    # Slow enough that none is made up for while the test runs.
    flags = ("--max_calls_per_second_per_tenant=0.0001", "--max_burst_per_tenant=3")

    def test_a_tenant_has_its_burst_and_then_hears_when_there_is_room(self):
        token = new_token()
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        for _ in range(2):
            self.assertOutcome(self.client.call("RunInstances", run(token)), "replayed")
        for _ in range(5):
            reply = self.client.call("RunInstances", run(token))
            self.assertEqual((reply.reason, reply.retry), ("OVERLOADED", "same-token"))
            self.assertIn("max_calls_per_second_per_tenant is 0.0001", reply.message)
            (delay_s,) = reply.retry_delays_s
            self.assertGreater(delay_s, 5_000)
            self.assertLessEqual(delay_s, 10_000)
        other = self.client_of(self.tenant + ".other")
        self.assertOutcome(other.call("RunInstances", run(token)), "executed")


class InFlightTest(ServerCase):
    flags = ("--simulated_boot_latency=10ms",)

    def test_a_tenant_that_takes_its_share_leaves_the_rest_to_others(self):
        (instance,) = self.client.call("RunInstances", run()).parsed.instances
        eventually(lambda: self.instances()[0].state == resources_pb2.INSTANCE_STATE_RUNNING, "running")
        self.server.stop()
        self.server.flags = ("--simulated_boot_latency=1h", "--max_calls_in_flight=8",
                             "--max_calls_in_flight_per_tenant=3")
        self.server.start()
        operation = self.client.call("StopInstance", compute_pb2.StopInstanceRequest(
            instance_id=instance.instance_id)).parsed
        wait = operations_pb2.WaitOperationRequest(name=operation.name)
        waiting = [self.client.start(OPERATIONS + "WaitOperation", wait) for _ in range(10)]
        refused = eventually(lambda: len([call for call in waiting if call.done]) == 7 and
                             [call for call in waiting if call.done], "seven of ten are refused")
        for call in refused:
            reply = self.assertRefused(call.reply(), "OVERLOADED")
            self.assertIn("max_calls_in_flight_per_tenant is 3", reply.message)
        other = self.client_of(self.tenant + ".other")
        self.assertOutcome(other.call("RunInstances", run(new_token())), "executed")
        for call in waiting:
            call.cancel()


class StoredTokensTest(ServerCase):
    flags = ("--max_tokens_per_tenant=2", "--max_abandoned_tokens_per_tenant=2")

    def policy(self):
        return self.client.call(TOKENS + "GetPolicy", tokens_pb2.GetPolicyRequest()).parsed

    def test_a_tenant_has_as_many_tokens_as_it_may_and_what_is_stored_is_answered_on(self):
        requests = [run(new_token()) for _ in range(2)]
        for request in requests:
            self.assertOutcome(self.client.call("RunInstances", request), "executed")
        abandon = tokens_pb2.AbandonTokenRequest(client_token=new_token())
        self.assertTrue(self.client.call(TOKENS + "AbandonToken", abandon).ok)
        one_more = run(new_token())
        fence = tokens_pb2.AbandonTokenRequest(client_token=new_token())
        for _ in range(2):
            self.assertRefused(self.client.call("RunInstances", one_more), "QUOTA_EXCEEDED",
                               says=["max_tokens_per_tenant is 2"])
            self.assertTrue(self.client.call(TOKENS + "AbandonToken", fence).ok)  # C20: the fence has its own limit.
            self.assertRefused(self.client.call(TOKENS + "AbandonToken", tokens_pb2.AbandonTokenRequest(
                client_token=one_more.client_token)), "QUOTA_EXCEEDED", says=["max_abandoned_tokens_per_tenant is 2"])
            self.assertTrue(self.client.call(TOKENS + "AbandonToken", abandon).ok)
            self.assertOutcome(self.client.call("RunInstances", requests[0]), "replayed")
            self.assertEqual((self.policy().max_tokens_per_tenant, self.policy().stored_tokens), (2, 2))
            self.assertEqual(self.policy().abandoned_tokens, 2)
            self.server.kill()
            self.server.start()
        self.assertEqual(len(self.instances()), 2)
        self.assertOutcome(self.client.call("RunInstances", run()), "unprotected")
        other = self.client_of(self.tenant + ".other")
        self.assertOutcome(other.call("RunInstances", one_more), "executed")

    def test_tokens_that_were_stored_without_a_limit_are_counted(self):
        self.server.stop()
        self.server.flags = ()
        self.server.start()
        for _ in range(3):
            self.assertOutcome(self.client.call("RunInstances", run(new_token())), "executed")
        self.assertFalse(self.policy().HasField("stored_tokens"))
        self.server.stop()
        self.server.flags = self.flags
        self.server.start()
        self.assertEqual(self.policy().stored_tokens, 3)
        self.assertRefused(self.client.call("RunInstances", run(new_token())), "QUOTA_EXCEEDED")


class FlagTest(unittest.TestCase):
    def test_a_limit_that_is_none_does_not_start(self):
        for flag in ("max_calls_in_flight=0", "max_calls_in_flight_per_tenant=0", "max_calls_per_second_per_tenant=-1",
                     "max_calls_per_second_per_tenant=nan", "max_burst_per_tenant=0", "max_waiting_transactions=0",
                     "max_tokens_per_tenant=-1", "max_token_bytes_per_tenant=-1", "max_abandoned_tokens_per_tenant=-1",
                     "max_request_unknown_fields=-1", "max_request_map_entries=-1", "max_request_elements=0",
                     "max_request_depth=91",
                     "max_connections=0", "max_stranger_connections=0", "max_message_bytes=0",
                     "max_metadata_bytes=0", "max_calls_per_connection=0",
                     "max_pending_calls=0", "max_request_bytes_in_flight=8388607", "max_reply_bytes_in_flight=8388607",
                     "max_connection_bytes=335544319",
                     "handshake_timeout=0", "keepalive_time=0", "keepalive_timeout=-1s", "max_connection_idle=0",
                     "max_connection_age=0"):
            with self.subTest(flag):
                self.assertIn("--" + flag.split("=")[0], refused_start("--listen_address=127.0.0.1:0", "--" + flag))


if __name__ == "__main__":
    unittest.main()
