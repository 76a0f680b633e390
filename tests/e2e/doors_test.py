"""A token is the same through every door (C31): the first call makes the effect, and the same call through another door
gets its reply."""

import json
import unittest
import urllib.error
import urllib.parse
import urllib.request

from case import IMAGE, OTHER_IMAGE, ServerCase, eventually, new_token, pages, run
from protos import compute_pb2, resources_pb2, yandex_instances_pb2

TYPE = "m5.large"


class DoorsTest(ServerCase):
    flags = ("--http_address=127.0.0.1:0", "--simulated_boot_latency=20ms")

    def ask(self, path: str, body: bytes, headers: dict) -> tuple:
        """Status, outcome and text."""
        request = urllib.request.Request(f"http://{self.server.http_address}{path}", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.headers["hapax-outcome"], reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None, error.read().decode()

    # Each launches a machine with this name, and returns status, outcome and text.
    def by_grpc(self, token: str, image: str) -> tuple:
        reply = self.client.call("RunInstances", run(token, image=image, instance_type=TYPE, tags={"Name": "web"}))
        if not reply.ok:
            return reply.reason, None, ""
        return 200, reply.outcome, reply.parsed.instances[0].instance_id

    def by_ec2(self, token: str, image: str) -> tuple:
        form = {"Action": "RunInstances", "Version": "2016-11-15", "ImageId": image, "InstanceType": TYPE, "MinCount": 1,
                "MaxCount": 1, "ClientToken": token, "TagSpecification.1.ResourceType": "instance",
                "TagSpecification.1.Tag.1.Key": "Name", "TagSpecification.1.Tag.1.Value": "web"}
        return self.ask("/", urllib.parse.urlencode(form).encode(), {"X-Tenant-Id": self.tenant})

    def by_openstack(self, token: str, image: str) -> tuple:
        body = {"server": {"name": "web", "imageRef": image, "flavorRef": TYPE}}
        return self.ask("/v2.1/servers", json.dumps(body).encode(),
                        {"X-Auth-Token": self.tenant, "Content-Type": "application/json", "X-Client-Token": token})

    def by_yandex(self, token: str, image: str) -> tuple:
        body = {"name": "web", "platformId": TYPE, "bootDiskSpec": {"diskSpec": {"imageId": image}}}
        return self.ask("/compute/v1/instances", json.dumps(body).encode(),
                        {"X-Tenant-Id": self.tenant, "Content-Type": "application/json", "Idempotency-Key": token})

    def by_yandex_grpc(self, token: str, image: str) -> tuple:
        request = yandex_instances_pb2.CreateInstanceRequest(name="web", platform_id=TYPE)
        request.boot_disk_spec.disk_spec.image_id = image
        reply = self.client.call("/yandex.cloud.compute.v1.InstanceService/Create", request, (("idempotency-key", token),))
        if not reply.ok:
            return reply.reason, None, ""
        return 200, reply.outcome, reply.parsed.id

    def test_C31_the_same_launch_through_each_door_is_one_and_another_is_a_mismatch(self):
        doors = {"gRPC": self.by_grpc, "EC2": self.by_ec2, "OpenStack": self.by_openstack, "Yandex": self.by_yandex,
                 "Yandex, gRPC": self.by_yandex_grpc}
        mismatches = {"gRPC": "IDEMPOTENT_PARAMETER_MISMATCH", "EC2": 400, "OpenStack": 409, "Yandex": 400,
                      "Yandex, gRPC": "IDEMPOTENT_PARAMETER_MISMATCH"}
        names = list(doors)
        # Each is the first once, so that all others replay its record.
        for count, order in enumerate((names[at:] + names[:at] for at in range(len(names))), 1):
            with self.subTest(order=order):
                token = new_token()
                outcomes = []
                ids = set()
                for name in order:
                    status, outcome, text = doors[name](token, IMAGE)
                    self.assertIn(status, (200, 202), text)
                    outcomes.append(outcome)
                    ids.update(i.instance_id for i in pages(self.client, "DescribeInstances", "instances")
                               if i.instance_id in text)
                self.assertEqual(outcomes, ["executed"] + ["replayed"] * 4)
                self.assertEqual(len(ids), 1)
                for name in order:
                    self.assertEqual(doors[name](token, OTHER_IMAGE)[0], mismatches[name])
                self.assertEqual(len(pages(self.client, "DescribeInstances", "instances")), count)

    # The race of the documentation: a late retry, by whichever door, must not stop what another has started again.
    def test_C31_the_same_stop_through_each_door_is_one(self):
        instance = self.client.call("RunInstances", run()).parsed.instances[0].instance_id
        self.await_state(instance, resources_pb2.INSTANCE_STATE_RUNNING)
        token = new_token()
        form = {"Action": "StopInstances", "Version": "2016-11-15", "InstanceId.1": instance}
        tenant = {"X-Tenant-Id": self.tenant, "X-Client-Token": token}
        stops = (
            lambda: self.ask(f"/compute/v1/instances/{instance}:stop", b"", tenant)[:2],
            lambda: self.ask("/", urllib.parse.urlencode(form).encode(), tenant)[:2],
            lambda: self.ask(f"/v2.1/servers/{instance}/action", b'{"os-stop": null}',
                             {"X-Auth-Token": self.tenant, "X-Client-Token": token})[:2],
            lambda: (200, self.client.call("StopInstance", compute_pb2.StopInstanceRequest(
                client_token=token, instance_id=instance)).outcome),
        )
        self.assertEqual(stops[0](), (200, "executed"))
        self.await_state(instance, resources_pb2.INSTANCE_STATE_STOPPED)
        self.client.call("StartInstance", compute_pb2.StartInstanceRequest(instance_id=instance))
        self.await_state(instance, resources_pb2.INSTANCE_STATE_RUNNING)
        for stop in stops:
            self.assertIn(stop(), ((200, "replayed"), (202, "replayed")))
        self.await_state(instance, resources_pb2.INSTANCE_STATE_RUNNING)

    def await_state(self, instance_id: str, state: int) -> None:
        eventually(lambda: self.instances(instance_ids=[instance_id])[0].state == state, f"it is in state {state}")


if __name__ == "__main__":
    unittest.main()
