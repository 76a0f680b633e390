"""Yandex Cloud's API as its clients call it: by curl, by gRPC with its protos, and by its own SDK for Node. The examples
are those of its documentation of `Idempotency-Key`."""

import concurrent.futures
import json
import os
import subprocess
import threading
import unittest

from api_keys import key_of, line_of
from case import IMAGE, ServerCase, all_pages, eventually, new_token, run
from certificates import Authority, tls_flags
from client import OPERATIONS
from cutting_proxy import CuttingProxy
from harness import Server
from protos import (compute_pb2, operations_pb2, resources_pb2, yandex_instance_pb2, yandex_instances_pb2,
                    yandex_operations_pb2)
from relay import Relay
from yandex_clients import Sdk, curl, needs_sdk

INSTANCES = "/yandex.cloud.compute.v1.InstanceService/"
GET_OPERATION = "/yandex.cloud.operation.OperationService/Get"
DOCUMENTED_KEY = "c1700de3-b8cb-4d8a-9990-e4ebf052e9aa"
BUF = os.environ.get("BUF")
RUNNING = resources_pb2.INSTANCE_STATE_RUNNING
STOPPED = resources_pb2.INSTANCE_STATE_STOPPED


class YandexCase(ServerCase):
    """The caller's own instance, as Hapax's own API shows it."""

    flags = ("--http_address=127.0.0.1:0", "--simulated_boot_latency=20ms")

    def launch(self) -> str:
        launched = self.client.call("RunInstances", run()).parsed.instances[0].instance_id
        self.await_state(launched, RUNNING)
        return launched

    def state_of(self, instance_id: str) -> int:
        return self.instances(instance_ids=[instance_id])[0].state

    def await_state(self, instance_id: str, state: int) -> None:
        eventually(lambda: self.state_of(instance_id) == state, f"{instance_id} is in state {state}")

    def change(self, method: str, instance_id: str, state: int) -> None:
        """What another client does."""
        request = getattr(compute_pb2, method + "Request")(instance_id=instance_id)
        self.assertTrue(self.client.call(method, request).ok)
        self.await_state(instance_id, state)

    def operations(self) -> list:
        return all_pages(self.client, OPERATIONS + "ListOperations", "operations", operations_pb2.ListOperationsRequest())


class CurlTest(YandexCase):
    """The tenant is `default`, since the documentation's requests name none. So the tests have it in turns."""

    def setUp(self):
        super().setUp()
        self.client = self.client_of("default")

    def post(self, instance_id: str, verb: str, key="", address="") -> subprocess.CompletedProcess:
        words = ("-H", "Host: compute.api.cloud.yandex.net", *(("-H", f"Idempotency-Key: {key}") if key else ()))
        return curl(address or self.server.http_address, "POST", f"/compute/v1/instances/{instance_id}:{verb}", "-i", *words)

    def operation(self, ended: subprocess.CompletedProcess) -> tuple:
        """The outcome, and the operation."""
        self.assertEqual(ended.returncode, 0, ended.stderr)
        head, _, body = ended.stdout.partition("\n\n")  # Python reads each line end as one.
        self.assertIn("200 OK", head, ended.stdout)
        headers = dict(line.lower().split(": ", 1) for line in head.split("\n")[1:])
        return headers["hapax-outcome"], json.loads(body)

    def proxy(self) -> CuttingProxy:
        made = CuttingProxy(lambda: self.server.http_address, of=b":stop")
        self.addCleanup(made.close)
        return made

    def test_example_1_a_repeated_start_returns_the_operation_of_the_first(self):
        instance = self.launch()
        self.change("StopInstance", instance, STOPPED)
        before = len(self.operations())
        outcome, first = self.operation(self.post(instance, "start", DOCUMENTED_KEY))
        self.assertEqual(outcome, "executed")
        self.assertEqual(first["metadata"], {"@type": "type.googleapis.com/yandex.cloud.compute.v1.StartInstanceMetadata",
                                             "instanceId": instance})
        self.await_state(instance, RUNNING)
        outcome, again = self.operation(self.post(instance, "start", DOCUMENTED_KEY))
        self.assertEqual((outcome, again["id"], again["done"]), ("replayed", first["id"], True))
        self.assertEqual((again["response"]["id"], again["response"]["status"]), (instance, "RUNNING"))
        self.assertEqual(len(self.operations()), before + 1)
        shown = json.loads(curl(self.server.http_address, "GET", "/operations/" + first["id"]).stdout)
        self.assertEqual(shown, again)

    # Both with the header and without it, as the documentation tells of the race.
    def test_example_2_a_late_retry_stops_an_instance_only_without_a_key(self):
        for key, state in (("", STOPPED), (new_token(), RUNNING)):
            with self.subTest(key=key):
                instance, proxy = self.launch(), self.proxy()
                lost = self.post(instance, "stop", key, proxy.address)
                self.assertNotEqual(lost.returncode, 0, lost.stdout)  # The instance was stopped; the client knows nothing.
                self.await_state(instance, STOPPED)
                self.change("StartInstance", instance, RUNNING)  # The other client.
                outcome, operation = self.operation(self.post(instance, "stop", key, proxy.address))
                self.assertEqual(outcome, "replayed" if key else "unprotected")
                eventually(lambda: self.operation_ended(operation["id"]), "the operation ends")
                self.assertEqual(self.state_of(instance), state)

    def operation_ended(self, operation_id: str) -> bool:
        return json.loads(curl(self.server.http_address, "GET", "/operations/" + operation_id).stdout)["done"]

    def test_C11_stops_at_the_same_time_are_one(self):
        instance, key = self.launch(), new_token()
        before = len(self.operations())
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            ended = list(pool.map(lambda _: self.post(instance, "stop", key), range(4)))
        outcomes, operations = zip(*map(self.operation, ended))
        self.assertEqual(sorted(outcomes), ["executed", "replayed", "replayed", "replayed"])
        self.assertEqual(len({operation["id"] for operation in operations}), 1)
        self.assertEqual(len(self.operations()), before + 1)

    def test_C14_a_server_that_is_killed_before_its_reply_has_stopped_it_once(self):
        instance, key = self.launch(), new_token()
        was_cut, restarted = threading.Event(), threading.Event()
        proxy = CuttingProxy(lambda: self.server.http_address, of=b":stop",
                             on_cut=lambda: (was_cut.set(), restarted.wait(60)))
        self.addCleanup(proxy.close)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            lost = pool.submit(self.post, instance, "stop", key, proxy.address)
            self.assertTrue(was_cut.wait(60))
            self.server.kill()
            self.server.start()
            restarted.set()
            self.assertNotEqual(lost.result().returncode, 0)
        outcome, again = self.operation(self.post(instance, "stop", key, proxy.address))
        self.assertEqual((outcome, again["metadata"]["instanceId"]), ("replayed", instance))
        self.await_state(instance, STOPPED)
        self.assertEqual([op.done for op in self.operations() if op.name.endswith(again["id"])], [True])

    def test_an_instance_is_created_listed_and_deleted(self):
        address = self.server.http_address
        body = json.dumps({"folderId": "default", "name": "web", "zoneId": "us-east-1a", "labels": {"role": "db"},
                           "bootDiskSpec": {"diskSpec": {"imageId": IMAGE}}})
        words = ("-d", body, "-H", "Content-Type: application/json", "-H", "Idempotency-Key: " + new_token())
        first, again = (json.loads(curl(address, "POST", "/compute/v1/instances", *words).stdout) for _ in range(2))
        self.assertEqual(first["id"], again["id"])
        instance = first["metadata"]["instanceId"]
        eventually(lambda: self.operation_ended(first["id"]), "it is up")
        path = "/compute/v1/instances?filter=name%3D%22web%22"
        (listed,) = json.loads(curl(address, "GET", path).stdout)["instances"]
        self.assertEqual((listed["id"], listed["labels"], listed["status"]), (instance, {"role": "db"}, "RUNNING"))
        deleting = json.loads(curl(address, "DELETE", "/compute/v1/instances/" + instance).stdout)
        eventually(lambda: self.operation_ended(deleting["id"]), "it is down")
        absent = json.loads(curl(address, "GET", "/compute/v1/instances/" + instance).stdout)
        self.assertEqual((absent["code"], json.loads(curl(address, "GET", path).stdout)["instances"]), (5, []))


class GrpcTest(YandexCase):
    """By Python's grpc, with the protos here."""

    def by_id(self, method: str, instance_id: str, key=""):
        request = getattr(yandex_instances_pb2, method + "InstanceRequest")(instance_id=instance_id)
        return self.client.call(INSTANCES + method, request, (("idempotency-key", key),) if key else ())

    def operation(self, operation_id: str):
        return self.client.call(GET_OPERATION, yandex_operations_pb2.GetOperationRequest(operation_id=operation_id)).parsed

    def ended(self, operation):
        return eventually(lambda: (now := self.operation(operation.id)).done and now, "the operation ends")

    def test_both_examples(self):
        instance = self.launch()
        first = self.assertOutcome(self.by_id("Stop", instance, "S"), "executed").parsed
        metadata = yandex_instances_pb2.StopInstanceMetadata()
        self.assertTrue(first.metadata.Unpack(metadata))
        self.assertEqual(metadata.instance_id, instance)
        self.assertEqual(self.ended(first).response.TypeName(), "google.protobuf.Empty")
        started = self.assertOutcome(self.by_id("Start", instance, "R"), "executed").parsed
        up = yandex_instance_pb2.Instance()
        self.assertTrue(self.ended(started).response.Unpack(up))
        self.assertEqual((up.id, up.status), (instance, yandex_instance_pb2.Instance.RUNNING))
        again = self.assertOutcome(self.by_id("Start", instance, "R"), "replayed").parsed
        self.assertEqual((again.id, again.done), (started.id, True))
        late = self.assertOutcome(self.by_id("Stop", instance, "S"), "replayed").parsed
        self.assertEqual((late.id, late.done), (first.id, True))
        self.assertEqual(self.state_of(instance), RUNNING)

    def test_create_get_list_and_delete(self):
        request = yandex_instances_pb2.CreateInstanceRequest(name="web", zone_id="eu-west-1b")
        request.boot_disk_spec.disk_spec.image_id = IMAGE
        key = (("idempotency-key", "C"),)
        first = self.assertOutcome(self.client.call(INSTANCES + "Create", request, key), "executed").parsed
        up = yandex_instance_pb2.Instance()
        self.assertTrue(self.ended(first).response.Unpack(up))
        again = self.assertOutcome(self.client.call(INSTANCES + "Create", request, key), "replayed").parsed
        self.assertEqual((again.id, again.done), (first.id, True))
        self.assertEqual(self.by_id("Get", up.id, "any").parsed, up)
        listed = self.client.call(INSTANCES + "List", yandex_instances_pb2.ListInstancesRequest()).parsed
        self.assertEqual(list(listed.instances), [up])
        # In another region than the default one.
        self.assertTrue(self.ended(self.assertOutcome(self.by_id("Stop", up.id, "S"), "executed").parsed).done)
        self.assertOutcome(self.by_id("Stop", up.id, "S"), "replayed")
        self.ended(self.assertOutcome(self.by_id("Delete", up.id, "D"), "executed").parsed)
        self.assertOutcome(self.by_id("Delete", up.id, "D"), "replayed")
        self.assertRefused(self.by_id("Get", up.id), "INSTANCE_NOT_FOUND", "instance_id")

    def test_C27_errors_have_reason_verdict_and_their_field_names(self):
        instance = self.launch()
        self.assertRefused(self.by_id("Start", instance), "INCORRECT_INSTANCE_STATE")
        self.assertRefused(self.by_id("Stop", "i-00000000000000000"), "INSTANCE_NOT_FOUND")
        self.assertRefused(self.by_id("Stop", instance, "two words"), "INVALID_CLIENT_TOKEN")
        self.assertRefused(self.client.call(INSTANCES + "Stop", b"\xff"), "INVALID_PARAMETER", "request")
        request = yandex_instances_pb2.CreateInstanceRequest(zone_id="nowhere")
        self.assertRefused(self.client.call(INSTANCES + "Create", request), "INVALID_PARAMETER",
                           "boot_disk_spec.disk_spec.image_id")
        request.boot_disk_spec.disk_spec.image_id = IMAGE
        self.assertRefused(self.client.call(INSTANCES + "Create", request), "UNKNOWN_AVAILABILITY_ZONE", "zone_id")
        self.assertOutcome(self.by_id("Stop", instance, "T"), "executed")
        self.assertRefused(self.by_id("Delete", instance, "T"), "IDEMPOTENT_PARAMETER_MISMATCH")
        stranger = self.client_of("stranger")
        self.assertRefused(stranger.call(INSTANCES + "Stop", yandex_instances_pb2.StopInstanceRequest(
            instance_id=instance), (("idempotency-key", "T"),)), "INSTANCE_NOT_FOUND")
        self.assertEqual(len(self.operations()), 1)

    @unittest.skipUnless(BUF, "BUF is not set to the path of buf")
    def test_buf_calls_by_reflection_alone(self):
        instance = self.launch()
        ended = subprocess.run(
            [BUF, "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-H", f"x-tenant-id: {self.tenant}", "-H",
             "Idempotency-Key: T", "-d", json.dumps({"instanceId": instance}),
             f"http://{self.server.address}{INSTANCES}Stop"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(json.loads(ended.stdout)["metadata"]["instanceId"], instance)


@needs_sdk
class SdkTest(YandexCase):
    """The SDK encrypts, and its IAM token is an API key here."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--simulated_boot_latency=20ms", "--auth=api_key", "--http_address=127.0.0.1:0")
        cls.addClassCleanup(cls.server.close)
        cls.ca = Authority(cls.server.dir, "ca")
        keys = cls.server.write("keys", line_of("team", "one") + line_of("team", "reader", "read"))
        cls.server.flags += (f"--api_keys_file={keys}", *tls_flags(cls.ca.issue_server()))
        cls.server.start()
        cls.sdk = Sdk(cls.ca.cert, key_of("one"))
        cls.addClassCleanup(cls.sdk.close)

    def setUp(self):
        self.client = self.client_of(None, metadata=(("x-api-key", key_of("one")),), credentials=self.ca.credentials())

    def change_by_sdk(self, method: str, instance_id: str, address="", **more) -> dict:
        done = self.sdk.call(address or self.server.address, method, {"instanceId": instance_id}, **more)
        self.assertNotIn("error", done)
        return done

    def test_both_examples(self):
        instance, key = self.launch(), new_token()
        first = self.change_by_sdk("stop", instance, token=key)
        self.assertEqual((first["outcome"], first["metadata"]["instanceId"]), ("executed", instance))
        self.sdk.wait_for(self.server.address, first["reply"]["id"])
        started = self.change_by_sdk("start", instance, sessionToken="R")
        up = self.sdk.wait_for(self.server.address, started["reply"]["id"])
        self.assertEqual((up["reply"]["done"], up["response"]["id"]), (True, instance))
        again = self.change_by_sdk("start", instance, sessionToken="R")
        self.assertEqual((again["outcome"], again["reply"]["id"]), ("replayed", started["reply"]["id"]))
        late = self.change_by_sdk("stop", instance, token=key)
        self.assertEqual((late["outcome"], late["reply"]["id"], late["reply"]["done"]), ("replayed", first["reply"]["id"], True))
        self.assertEqual(self.state_of(instance), RUNNING)

    def retried_stop(self, between) -> tuple:
        """Stops an instance through a network that loses the reply; `between` happens before the SDK's next attempt.
        Returns the instance, and the SDK's reply."""
        instance, relay = self.launch(), Relay(self.server)
        self.addCleanup(relay.close)
        self.assertEqual(self.sdk.call(relay.address, "get", {"instanceId": instance})["reply"]["id"], instance)
        relay.lose_replies = True
        self.sdk.start(relay.address, "stop", {"instanceId": instance}, token=new_token(), retry=9)
        self.await_state(instance, STOPPED)
        self.change("StartInstance", instance, RUNNING)
        between()
        relay.lose_replies = False
        relay.cut()
        return instance, self.sdk.finish()

    def test_C15_its_own_retry_after_a_lost_reply_stops_nothing(self):
        before = len(self.operations())
        instance, done = self.retried_stop(lambda: None)
        self.assertEqual((done["outcome"], done["retries"] > 0, done["reply"]["done"]), ("replayed", True, True), done)
        self.assertEqual(self.state_of(instance), RUNNING)
        self.assertEqual(len(self.operations()), before + 2)  # The stop, and the other client's start.

    def test_C14_its_own_retry_after_kill_9_stops_nothing(self):
        instance, done = self.retried_stop(lambda: (self.server.kill(), self.server.start()))
        self.assertEqual((done["outcome"], done["retries"] > 0, done["reply"]["done"]), ("replayed", True, True), done)
        self.assertEqual(self.state_of(instance), RUNNING)

    def test_it_creates_once_and_deletes(self):
        request = {"folderId": "default", "name": "web", "zoneId": "us-east-1a",
                   "bootDiskSpec": {"diskSpec": {"imageId": IMAGE}}}
        first, again = (self.sdk.call(self.server.address, "create", request, token="C") for _ in range(2))
        self.assertEqual((first["outcome"], again["outcome"]), ("executed", "replayed"), first)
        self.assertEqual(first["reply"]["id"], again["reply"]["id"])
        up = self.sdk.wait_for(self.server.address, first["reply"]["id"])
        self.assertEqual(up["response"]["name"], "web")
        listed = self.sdk.call(self.server.address, "list", {"folderId": "default", "filter": 'name = "web"'})
        self.assertEqual([found["id"] for found in listed["reply"]["instances"]], [up["response"]["id"]])
        deleting = self.sdk.call(self.server.address, "delete", {"instanceId": up["response"]["id"]})
        self.assertTrue(self.sdk.wait_for(self.server.address, deleting["reply"]["id"])["reply"]["done"])

    def test_a_key_has_its_role(self):
        instance = self.launch()
        reader = key_of("reader")
        self.assertEqual(self.sdk.call(self.server.address, "get", {"instanceId": instance}, key=reader)["reply"]["id"], instance)
        refused = self.sdk.call(self.server.address, "stop", {"instanceId": instance}, key=reader)
        self.assertEqual(refused["code"], 7)
        self.assertIn("PERMISSION_DENIED", refused["error"])
        self.assertEqual(self.sdk.call(self.server.address, "get", {"instanceId": instance}, key="wrong")["code"], 16)


if __name__ == "__main__":
    unittest.main()
