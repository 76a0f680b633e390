"""A token is the same through every door (C31): the first call makes the effect, and the same call through another door
gets its reply."""

import itertools
import json
import unittest
import urllib.error
import urllib.parse
import urllib.request

from case import IMAGE, OTHER_IMAGE, ServerCase, new_token, pages, run

TYPE = "m5.large"


class DoorsTest(ServerCase):
    flags = ("--http_address=127.0.0.1:0",)

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

    def test_C31_the_same_launch_through_each_door_is_one_and_another_is_a_mismatch(self):
        doors = {"gRPC": self.by_grpc, "EC2": self.by_ec2, "OpenStack": self.by_openstack}
        mismatches = {"gRPC": "IDEMPOTENT_PARAMETER_MISMATCH", "EC2": 400, "OpenStack": 409}
        for count, order in enumerate(itertools.permutations(doors), 1):
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
                self.assertEqual(outcomes, ["executed", "replayed", "replayed"])
                self.assertEqual(len(ids), 1)
                for name in order:
                    self.assertEqual(doors[name](token, OTHER_IMAGE)[0], mismatches[name])
                self.assertEqual(len(pages(self.client, "DescribeInstances", "instances")), count)


if __name__ == "__main__":
    unittest.main()
