"""A retry of a success whose quota, capacity, image, type, subnet or zone is gone by now (C16), and the refusals that a
first attempt gets there (C12)."""

import unittest

import catalogs
from case import ContractCase, eventually, hosts, new_token, pages, run, terminate
from client import Client
from harness import Server
from protos import resources_pb2


class CatalogTest(ContractCase):
    def start(self, catalog) -> None:
        """A server of its own with this catalog."""
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.flags = (f"--catalog_file={self.server.write('catalog', catalogs.text(catalog))}",
                             "--simulated_boot_latency=20ms")
        self.server.start()
        self.client = Client(self.server, "tenant")
        self.addCleanup(self.client.close)

    def restart(self, catalog) -> None:
        self.server.stop()
        self.server.write("catalog", catalogs.text(catalog))
        self.server.start()

    def execute(self, method: str, request):
        return self.assertOutcome(self.client.call(method, request), "executed")

    def states(self) -> list:
        return [instance.state for instance in pages(self.client, "DescribeInstances", "instances")]

    def test_C16_the_quota_is_used_up(self):
        self.start(catalogs.small(instances=2, hosts=1))
        launch, allocation = run(new_token(), min_count=2), hosts(new_token())
        launched, allocated = self.execute("RunInstances", launch), self.execute("AllocateHosts", allocation)

        self.assertRefused(self.client.call("RunInstances", run(new_token())), "QUOTA_EXCEEDED")
        self.assertRefused(self.client.call("AllocateHosts", hosts(new_token())), "QUOTA_EXCEEDED")
        self.assertReplays(self.client.call("RunInstances", launch), launched)
        self.assertReplays(self.client.call("AllocateHosts", allocation), allocated)
        self.server.stop()
        self.server.start()
        self.assertReplays(self.client.call("RunInstances", launch), launched)
        self.assertReplays(self.client.call("AllocateHosts", allocation), allocated)
        self.assertRefused(self.client.call("RunInstances", run(new_token())), "QUOTA_EXCEEDED")

    def test_C16_the_capacity_is_used_up(self):
        self.start(catalogs.small(vcpus=8))
        launch = run(new_token(), zone="us-east-1a", min_count=1, max_count=100)
        launched = self.execute("RunInstances", launch)
        self.assertEqual(len(launched.parsed.instances), 4)  # As many as fit.

        self.assertRefused(self.client.call("RunInstances", run(new_token(), zone="us-east-1a")),
                           "INSUFFICIENT_INSTANCE_CAPACITY")
        self.assertRefused(self.client.call("AllocateHosts", hosts(new_token())), "INSUFFICIENT_INSTANCE_CAPACITY")
        self.assertReplays(self.client.call("RunInstances", launch), launched)
        self.execute("RunInstances", run(new_token()))  # Regional: the other zone has room.

    def test_C12_all_or_nothing_below_min_count(self):
        self.start(catalogs.small(vcpus=8))
        token = new_token()
        self.assertRefused(self.client.call("RunInstances", run(token, zone="us-east-1a", min_count=5)),
                           "INSUFFICIENT_INSTANCE_CAPACITY")
        self.assertEqual(self.states(), [])
        fits = self.execute("RunInstances", run(token, zone="us-east-1a", min_count=4))
        self.assertEqual(len(fits.parsed.instances), 4)

    def test_C12_the_same_token_executes_once_the_quota_has_room_again(self):
        self.start(catalogs.small(instances=1))
        first, waiting = run(new_token()), run(new_token())
        instance = self.execute("RunInstances", first).parsed.instances[0].instance_id
        self.assertRefused(self.client.call("RunInstances", waiting), "QUOTA_EXCEEDED")
        self.assertTrue(self.client.call("TerminateInstances", terminate(instance)).ok)
        eventually(lambda: self.states() == [resources_pb2.INSTANCE_STATE_TERMINATED], "terminated")
        self.execute("RunInstances", waiting)
        self.assertOutcome(self.client.call("RunInstances", first), "replayed")

    def test_C16_the_catalog_no_longer_has_what_the_request_names(self):
        self.start(catalogs.small())
        requests = [run(new_token(), zone="us-east-1a"), run(new_token(), instance_type="m5.xlarge"),
                    run(new_token(), subnet_id="subnet-b"), run(new_token(), zone="us-east-1b"),
                    run(new_token(), region="us-east-1"), run(new_token(), key_name="my-key-pair")]
        firsts = [self.execute("RunInstances", request) for request in requests]
        allocation = hosts(new_token(), zone="us-east-1b", instance_type="m5.xlarge")
        allocated = self.execute("AllocateHosts", allocation)

        poor = catalogs.small()
        del poor.image_ids[0], poor.instance_types[1], poor.regions[0].zones[1], poor.image_key_names[:]
        self.restart(poor)

        for request, first in zip(requests, firsts):
            self.assertReplays(self.client.call("RunInstances", request), first)
        self.assertReplays(self.client.call("AllocateHosts", allocation), allocated)
        image = poor.image_ids[0]
        for request, reason in (
                (run(new_token(), zone="us-east-1a"), "IMAGE_NOT_FOUND"),
                (run(new_token(), image=image, instance_type="m5.xlarge"), "INVALID_PARAMETER"),
                (run(new_token(), image=image, subnet_id="subnet-b"), "SUBNET_NOT_FOUND"),
                (run(new_token(), image=image, zone="us-east-1b"), "UNKNOWN_AVAILABILITY_ZONE"),
                (run(new_token(), image=image, key_name="my-key-pair"), "KEYPAIR_NOT_FOUND")):
            with self.subTest(reason):
                self.assertRefused(self.client.call("RunInstances", request), reason)
        self.assertEqual(len(self.states()), len(requests))

    def test_C22_the_default_type_is_another_one_by_now(self):
        self.start(catalogs.small())
        left_out, spelled_out = new_token(), new_token()
        first = self.execute("RunInstances", run(left_out))
        self.assertReplays(self.client.call("RunInstances", run(left_out, instance_type="m5.large")), first)
        second = self.execute("RunInstances", run(spelled_out, instance_type="m5.large"))
        other = catalogs.small()
        other.default_instance_type = "m5.xlarge"
        self.restart(other)

        for token, reply in ((left_out, first), (spelled_out, second)):
            for request in (run(token), run(token, instance_type="m5.large", min_count=1)):
                self.assertReplays(self.client.call("RunInstances", request), reply)
            refused = self.client.call("RunInstances", run(token, instance_type="m5.xlarge"))
            self.assertRefused(refused, "IDEMPOTENT_PARAMETER_MISMATCH", "instance_type")
        self.assertEqual(len(self.states()), 2)

    def test_C16_the_subnet_is_gone_and_its_zone_is_not(self):
        self.start(catalogs.small())
        request = run(new_token(), subnet_id="subnet-b")
        first = self.execute("RunInstances", request)
        other = catalogs.small()
        other.regions[0].zones[1].subnets[0].id = "subnet-c"
        other.regions[0].zones[1].subnets[0].cidr_block = "10.2.0.0/20"
        self.restart(other)
        self.assertReplays(self.client.call("RunInstances", request), first)
        self.assertRefused(self.client.call("RunInstances", run(new_token(), subnet_id="subnet-b")), "SUBNET_NOT_FOUND")
        self.execute("RunInstances", run(new_token(), subnet_id="subnet-c"))


if __name__ == "__main__":
    unittest.main()
