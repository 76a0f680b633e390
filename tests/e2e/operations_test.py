"""Long-running operations over the wire: stops and starts, waiting for them, and what a crash or the end of the server
makes of them (C14, C24)."""

import concurrent.futures
import os
import pathlib
import time
import unittest

from google.protobuf import duration_pb2
from grpc import StatusCode

from case import ContractCase, ServerCase, eventually, new_token, pages, run, terminate
from client import Client, Reply
from harness import Server
from protos import compute_pb2, operations_pb2, resources_pb2
from relay import Relay

OPERATIONS = "/google.longrunning.Operations/"
RUNNING = resources_pb2.INSTANCE_STATE_RUNNING
STOPPING = resources_pb2.INSTANCE_STATE_STOPPING
STOPPED = resources_pb2.INSTANCE_STATE_STOPPED
# For operations that do not end while a test lasts.
FOR_EVER = "--simulated_boot_latency=1h"
AT_ONCE = "--simulated_boot_latency=0"


def stop(instance_id: str, token=""):
    return compute_pb2.StopInstanceRequest(client_token=token, instance_id=instance_id)


def start(instance_id: str, token=""):
    return compute_pb2.StartInstanceRequest(client_token=token, instance_id=instance_id)


def wait(name: str, timeout_s: float = None):
    request = operations_pb2.WaitOperationRequest(name=name)
    if timeout_s is not None:
        request.timeout.CopyFrom(duration_pb2.Duration(seconds=int(timeout_s), nanos=int(timeout_s % 1 * 1e9)))
    return request


def get(name: str):
    return operations_pb2.GetOperationRequest(name=name)


def cpu_time_s(pid: int) -> float:
    """What the process has used so far, of all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class OperationCase(ContractCase):
    """Of a client and a server, which the subclasses bring."""

    def launch(self, client: Client, count: int = 1) -> list:
        """Ids of so many instances that run."""
        ids = [i.instance_id for i in client.call("RunInstances", run(new_token(), min_count=count)).parsed.instances]
        eventually(lambda: all(self.state(client, i) == RUNNING for i in ids), "every instance RUNNING")
        return ids

    def state(self, client: Client, instance_id: str) -> int:
        (instance,) = pages(client, "DescribeInstances", "instances", instance_ids=[instance_id])
        return instance.state

    def wait(self, client: Client, name: str) -> Reply:
        """The operation when it is done."""
        reply = client.call(OPERATIONS + "WaitOperation", wait(name))
        self.assertTrue(reply.ok, reply)
        self.assertTrue(reply.parsed.done, reply.parsed)
        return reply

    def assertEnded(self, reply: Reply, instance_id: str, state: int) -> None:
        """The operation made the instance what it should."""
        operation = reply.parsed
        self.assertEqual(operation.WhichOneof("result"), "response", operation)
        instance, metadata = resources_pb2.Instance(), resources_pb2.InstanceOperationMetadata()
        self.assertTrue(operation.response.Unpack(instance))
        self.assertTrue(operation.metadata.Unpack(metadata))
        self.assertEqual((instance.instance_id, instance.state), (instance_id, state))
        self.assertEqual(metadata.instance_id, instance_id)


class StopAndStartTest(OperationCase, ServerCase):
    flags = ("--simulated_boot_latency=50ms",)

    def setUp(self):
        super().setUp()
        (self.id,) = self.launch(self.client)

    def listed(self, client=None, **fields) -> list:
        """The operations that are listed, over all pages."""
        request = operations_pb2.ListOperationsRequest(**fields)
        found = []
        for _ in range(1_000):
            page = (client or self.client).call(OPERATIONS + "ListOperations", request).parsed
            found.extend(page.operations)
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token
        raise AssertionError("the list does not come to a last page")

    def test_C24_a_stop_and_a_start_are_operations_that_can_be_waited_for(self):
        for method, request, state in (("StopInstance", stop, STOPPED), ("StartInstance", start, RUNNING)):
            token = new_token()
            first = self.assertOutcome(self.client.call(method, request(self.id, token)), "executed").parsed
            self.assertRegex(first.name, "^operations/op-[0-9a-f]+$")
            self.assertFalse(first.done)
            ended = self.wait(self.client, first.name)
            self.assertEnded(ended, self.id, state)
            self.assertEqual(self.state(self.client, self.id), state)
            self.assertEqual(self.client.call(OPERATIONS + "GetOperation", get(first.name)).raw, ended.raw)
            self.assertReplays(self.client.call(method, request(self.id, token)), ended)
        self.assertEqual(len(self.listed()), 2)

    def test_C27_what_cannot_be_stopped_or_started_now_may_be_later(self):
        self.assertRefused(self.client.call("StartInstance", start(self.id)), "INCORRECT_INSTANCE_STATE", "instance_id")
        token = new_token()
        operation = self.client.call("StopInstance", stop(self.id, token)).parsed
        self.assertRefused(self.client.call("StopInstance", stop(self.id)), "INCORRECT_INSTANCE_STATE", "instance_id")
        self.assertRefused(self.client.call("StopInstance", stop("i-other", token)), "IDEMPOTENT_PARAMETER_MISMATCH",
                           "instance_id")
        self.assertRefused(self.client.call("StopInstance", stop("i-other")), "INSTANCE_NOT_FOUND", "instance_id")
        self.wait(self.client, operation.name)

    def test_C24_yandex_example_2_the_late_retry_of_a_stop_does_not_stop_what_another_client_started(self):
        # "A client sent a request to stop a running VM", this time with an Idempotency-Key.
        key = (("idempotency-key", "c1700de3-b8cb-4d8a-9990-e4ebf052e9aa"),)
        relay = Relay(self.server)
        self.addCleanup(relay.close)
        far = self.client_of(self.tenant, relay)
        self.assertTrue(far.call("DescribeSubnets", b"").ok)
        # "The connection failed when sending the request and the client did not receive a response."
        relay.lose_replies = True
        unanswered = far.start("StopInstance", stop(self.id), key)
        # "The VM was stopped, but the client does not know the operation status."
        eventually(lambda: self.state(self.client, self.id) == STOPPED, "the stop that nobody was told of")
        relay.close()
        self.assertEqual(unanswered.reply().code.name, "UNAVAILABLE")
        (stopped,) = self.listed()
        # "At the same time, another client restarts this VM."
        other = self.client_of(self.tenant)
        started = self.assertOutcome(other.call("StartInstance", start(self.id, new_token())), "executed").parsed
        self.wait(other, started.name)
        # "When the first client reconnects to the internet, they will resend the stop VM request."
        retry = self.assertOutcome(self.client.call("StopInstance", stop(self.id), key), "replayed")
        self.assertEqual(retry.parsed.name, stopped.name)
        self.assertEnded(retry, self.id, STOPPED)
        # "The VM would not be stopped when resending the request."
        self.assertEqual(self.state(self.client, self.id), RUNNING)
        self.assertEqual(len(self.listed()), 2)

    def test_C3_yandex_example_2_without_a_key_it_is_stopped(self):
        for method, request in (("StopInstance", stop), ("StartInstance", start)):
            made = self.assertOutcome(self.client.call(method, request(self.id)), "unprotected").parsed
            self.wait(self.client, made.name)
        self.assertOutcome(self.client.call("StopInstance", stop(self.id)), "unprotected")
        self.assertIn(self.state(self.client, self.id), (STOPPING, STOPPED))

    def test_operations_are_listed_oldest_first_page_by_page(self):
        names = []
        for _ in range(3):
            for method, request in (("StopInstance", stop), ("StartInstance", start)):
                names.append(self.client.call(method, request(self.id, new_token())).parsed.name)
                self.wait(self.client, names[-1])
        for page_size in (0, 1, 2, 6, 7):
            self.assertEqual([operation.name for operation in self.listed(page_size=page_size)], names)
        self.assertEqual(len(self.listed(filter="done = true", page_size=4)), 6)
        self.assertEqual(self.listed(filter="done = false"), [])
        wrong = operations_pb2.ListOperationsRequest(filter="name = x")
        self.assertRefused(self.client.call(OPERATIONS + "ListOperations", wrong), "INVALID_PARAMETER", "filter")

    def test_C4_another_tenant_sees_none_of_them(self):
        name = self.client.call("StopInstance", stop(self.id, new_token())).parsed.name
        stranger = self.client_of("stranger-" + self.tenant[:50])
        for method, request in (("GetOperation", get(name)), ("WaitOperation", wait(name))):
            self.assertRefused(stranger.call(OPERATIONS + method, request), "OPERATION_NOT_FOUND", "name")
        self.assertEqual(self.listed(stranger), [])
        self.assertRefused(stranger.call("StopInstance", stop(self.id)), "INSTANCE_NOT_FOUND", "instance_id")

    def test_an_instance_that_is_terminated_meanwhile_fails_the_stop(self):
        token = new_token()
        name = self.client.call("StopInstance", stop(self.id, token)).parsed.name
        self.assertTrue(self.client.call("TerminateInstances", terminate(self.id)).ok)
        failed = self.wait(self.client, name)
        self.assertEqual(failed.parsed.WhichOneof("result"), "error")
        self.assertEqual(failed.parsed.error.code, StatusCode.FAILED_PRECONDITION.value[0])
        self.assertReplays(self.client.call("StopInstance", stop(self.id, token)), failed)


class InterruptedCase(OperationCase):
    """A server whose machines are up at once, and which then begins stops that last."""

    def setUp(self):
        self.server = Server(AT_ONCE)
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = Client(self.server, "tenant")
        self.addCleanup(self.client.close)

    def restart(self, flags: tuple, end) -> None:
        end()
        self.server.flags = flags
        self.server.start()


class WaitTest(InterruptedCase):
    def setUp(self):
        super().setUp()
        (self.id,) = self.launch(self.client)
        self.restart((FOR_EVER, "--drain_timeout=1h"), self.server.stop)
        self.name = self.client.call("StopInstance", stop(self.id, new_token())).parsed.name

    def test_a_wait_that_is_too_short_returns_the_operation_as_it_stands(self):
        began = time.monotonic()
        self.assertStillOpen(self.client.call(OPERATIONS + "WaitOperation", wait(self.name, 0.2)))
        self.assertGreaterEqual(time.monotonic() - began, 0.2)

    def test_a_wait_beyond_its_deadline_is_answered_before_that(self):
        def answered_in_time(request):
            """Whether the answer arrived: on a busy machine it may come too late now and then."""
            reply = self.client.call(OPERATIONS + "WaitOperation", request, timeout=1)
            if reply.code is StatusCode.DEADLINE_EXCEEDED:
                return False
            self.assertStillOpen(reply)
            return True

        for request in (wait(self.name), wait(self.name, 3600)):
            eventually(lambda: answered_in_time(request), "an answer in time")

    def assertStillOpen(self, reply: Reply) -> None:
        self.assertTrue(reply.ok, reply)
        self.assertFalse(reply.parsed.done)

    def test_waiting_costs_the_server_nothing(self):
        # Of their own connections, so that nothing but the server decides when each is answered.
        clients = [Client(self.server, "tenant") for _ in range(8)]
        for client in clients:
            self.addCleanup(client.close)
            self.assertTrue(client.call(OPERATIONS + "GetOperation", get(self.name)).ok)
        used = cpu_time_s(self.server.pid)
        waiting = [client.start(OPERATIONS + "WaitOperation", wait(self.name, 2)) for client in clients * 8]
        for call in waiting:
            self.assertStillOpen(call.reply())
        self.assertLess(cpu_time_s(self.server.pid) - used, 1.0, "two seconds of one core is spinning")

    def test_C14_the_end_of_the_server_answers_all_who_wait(self):
        waiting = [self.client.start(OPERATIONS + "WaitOperation", wait(self.name)) for _ in range(16)]
        # Behind them on the same connection: when it is answered, they wait.
        self.assertTrue(self.client.call(OPERATIONS + "WaitOperation", wait(self.name, 0.5)).ok)
        # The server is given less time than its drain timeout, or what they wait for.
        self.restart((AT_ONCE,), self.server.stop)
        for call in waiting:
            self.assertStillOpen(call.reply())
        self.assertEnded(self.wait(self.client, self.name), self.id, STOPPED)


class KillTest(InterruptedCase):
    INSTANCES = 24

    def test_C14_C24_stops_that_a_kill_minus_9_interrupts_go_on_once(self):
        ids = self.launch(self.client, self.INSTANCES)
        self.restart(("--simulated_boot_latency=500ms",), self.server.stop)
        tokens = {instance_id: new_token() for instance_id in ids}
        # The first half has been told; the second half is on its way when the server dies.
        told = {i: self.assertOutcome(self.client.call("StopInstance", stop(i, tokens[i])), "executed").parsed
                for i in ids[:self.INSTANCES // 2]}
        calls = [self.client.start("StopInstance", stop(i, tokens[i])) for i in ids[self.INSTANCES // 2:]]
        self.restart((FOR_EVER,), self.server.kill)
        for call in calls:
            call.reply()
        under_way = 0
        for instance_id in ids:
            retry = self.client.call("StopInstance", stop(instance_id, tokens[instance_id]))
            self.assertTrue(retry.ok, retry)
            if instance_id in told:
                self.assertOutcome(retry, "replayed")
                self.assertEqual(retry.parsed.name, told[instance_id].name)
            told[instance_id] = retry.parsed
            under_way += retry.outcome == "replayed" and not retry.parsed.done
        self.assertGreater(under_way, 0, "the kill caught no stop under way")
        self.restart(("--simulated_boot_latency=10ms",), self.server.kill)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            ended = dict(zip(ids, pool.map(lambda i: self.wait_alone(told[i].name), ids)))
        for instance_id, operation in ended.items():
            self.assertEnded(operation, instance_id, STOPPED)
            self.assertReplays(self.client.call("StopInstance", stop(instance_id, tokens[instance_id])), operation)
        listed = self.client.call(OPERATIONS + "ListOperations", operations_pb2.ListOperationsRequest()).parsed
        self.assertEqual(sorted(o.name for o in listed.operations), sorted(o.name for o in told.values()))
        self.assertEqual({self.state(self.client, instance_id) for instance_id in ids}, {STOPPED})
        self.server.stop()

    def wait_alone(self, name: str) -> Reply:
        client = Client(self.server, "tenant")
        try:
            return self.wait(client, name)
        finally:
            client.close()


if __name__ == "__main__":
    unittest.main()
