"""The compute API over the wire: giving hosts and key pairs back, filters, and lists while others write."""

import random
import threading
import unittest

from case import (IMAGE, OTHER_IMAGE, ServerCase, delete_keypair, eventually, hosts, keypair, new_token, release, run,
                  terminate)
from protos import compute_pb2, resources_pb2

RUNNING = resources_pb2.INSTANCE_STATE_RUNNING


class ReleaseHostsTest(ServerCase):
    flags = ("--simulated_boot_latency=20ms",)

    def allocate(self, quantity=1, **fields) -> list:
        return list(self.client.call("AllocateHosts", hosts(quantity=quantity, **fields)).parsed.host_ids)

    def launch_on(self, host: str, token="", **fields):
        request = run(token, **fields)
        request.placement.host_id = host
        return self.client.call("RunInstances", request)

    def free_vcpus(self, zone: str) -> int:
        reply = self.client.call("DescribeAvailabilityZones", compute_pb2.DescribeAvailabilityZonesRequest())
        return next(z.available_vcpus for z in reply.parsed.availability_zones if z.zone_name == zone)

    def test_C9_C16_a_release_is_replayed_when_the_hosts_are_gone(self):
        kept, *ids = self.allocate(3)
        ids.reverse()
        request = release(*ids, token=new_token())
        first = self.assertOutcome(self.client.call("ReleaseHosts", request), "executed")
        self.assertEqual(list(first.parsed.host_ids), ids)
        self.assertEqual([host.host_id for host in self.hosts()], [kept])
        self.assertReplays(self.client.call("ReleaseHosts", request), first)
        self.assertRefused(self.client.call("ReleaseHosts", release(ids[0])), "HOST_NOT_FOUND", "host_ids", [ids[0]])

    def test_C9_C16_an_allocation_is_replayed_when_its_hosts_are_released(self):
        request = hosts(new_token(), quantity=2)
        first = self.assertOutcome(self.client.call("AllocateHosts", request), "executed")
        self.assertTrue(self.client.call("ReleaseHosts", release(*first.parsed.host_ids)).ok)
        self.assertReplays(self.client.call("AllocateHosts", request), first)
        self.assertEqual(self.hosts(), [])

    def test_a_release_and_its_retries_give_the_capacity_back_once(self):
        before = self.free_vcpus("us-east-1a")
        request = release(*self.allocate(3), token=new_token())
        self.assertLess(self.free_vcpus("us-east-1a"), before)
        for _ in range(3):
            self.assertTrue(self.client.call("ReleaseHosts", request).ok)
        self.assertEqual(self.free_vcpus("us-east-1a"), before)

    def test_C12_a_host_that_runs_instances_is_kept_until_they_are_terminated(self):
        host, empty = self.allocate(2)
        instance = self.launch_on(host).parsed.instances[0].instance_id
        request = release(empty, host, token=new_token())
        says = (host, "runs 1", "terminate")
        self.assertRefused(self.client.call("ReleaseHosts", request), "INCORRECT_INSTANCE_STATE", "host_ids", says)
        self.assertEqual(len(self.hosts()), 2)
        self.assertTrue(self.client.call("TerminateInstances", terminate(instance)).ok)
        # As `hapax-retry: same-token` says.
        done = eventually(lambda: (reply := self.client.call("ReleaseHosts", request)).ok and reply, "released")
        self.assertOutcome(done, "executed")
        self.assertEqual(self.hosts(), [])

    def test_C9_C16_a_launch_is_replayed_when_its_host_is_gone_and_a_new_one_finds_no_host(self):
        (host,) = self.allocate()
        token = new_token()
        first = self.assertOutcome(self.launch_on(host, token), "executed")
        self.assertTrue(self.client.call("TerminateInstances", terminate(first.parsed.instances[0].instance_id)).ok)
        eventually(lambda: self.client.call("ReleaseHosts", release(host)).ok, "released")
        self.assertReplays(self.launch_on(host, token), first)
        self.assertRefused(self.launch_on(host, new_token()), "HOST_NOT_FOUND", "host_id", [host])

    def test_C4_another_tenants_hosts_are_not_found(self):
        (host,) = self.allocate()
        other = self.client_of("other-" + self.tenant[:50])
        self.assertRefused(other.call("ReleaseHosts", release(host)), "HOST_NOT_FOUND", "host_ids")
        self.assertEqual(len(self.hosts()), 1)

    def test_C10_other_hosts_with_the_same_token_are_a_mismatch(self):
        one, two = self.allocate(2)
        token = new_token()
        self.assertOutcome(self.client.call("ReleaseHosts", release(one, token=token)), "executed")
        refused = self.client.call("ReleaseHosts", release(two, token=token))
        self.assertEqual(self.assertRefused(refused, "IDEMPOTENT_PARAMETER_MISMATCH").fields, ["host_ids"])
        self.assertEqual([host.host_id for host in self.hosts()], [two])


class DeleteKeypairTest(ServerCase):
    def test_C9_C16_a_deletion_is_replayed_though_the_name_was_used_again(self):
        made = self.client.call("CreateKeypair", keypair()).parsed
        request = delete_keypair(new_token())
        first = self.assertOutcome(self.client.call("DeleteKeypair", request), "executed")
        self.assertEqual(first.parsed.key_pair_id, made.key_pair_id)
        self.assertReplays(self.client.call("DeleteKeypair", request), first)
        self.assertTrue(self.client.call("CreateKeypair", keypair()).ok)
        self.assertReplays(self.client.call("DeleteKeypair", request), first)
        self.assertEqual(len(self.key_pairs()), 1)  # The new pair has not been touched.

    def test_C9_C16_a_creation_is_replayed_when_its_pair_is_deleted_or_replaced(self):
        request = keypair(new_token())
        first = self.assertOutcome(self.client.call("CreateKeypair", request), "executed")
        self.assertTrue(self.client.call("DeleteKeypair", delete_keypair()).ok)
        self.assertReplays(self.client.call("CreateKeypair", request), first)
        self.assertEqual(self.key_pairs(), [])
        other = self.assertOutcome(self.client.call("CreateKeypair", keypair(new_token())), "executed").parsed
        self.assertNotEqual(other.key_pair_id, first.parsed.key_pair_id)
        self.assertReplays(self.client.call("CreateKeypair", request), first)
        self.assertEqual([pair.key_pair_id for pair in self.key_pairs()], [other.key_pair_id])

    def test_C9_C16_a_launch_is_replayed_when_its_key_is_gone_and_its_instances_keep_the_name(self):
        self.assertTrue(self.client.call("CreateKeypair", keypair()).ok)
        request = run(new_token(), key_name="pair")
        first = self.assertOutcome(self.client.call("RunInstances", request), "executed")
        self.assertTrue(self.client.call("DeleteKeypair", delete_keypair()).ok)
        self.assertReplays(self.client.call("RunInstances", request), first)
        self.assertRefused(self.client.call("RunInstances", run(new_token(), key_name="pair")), "KEYPAIR_NOT_FOUND")
        self.assertEqual([instance.key_name for instance in self.instances()], ["pair"])

    def test_C12_without_such_a_pair_the_token_stays_free(self):
        token = new_token()
        self.assertTrue(self.client.call("CreateKeypair", keypair(region="eu-west-1")).ok)
        self.assertRefused(self.client.call("DeleteKeypair", delete_keypair(token)), "KEYPAIR_NOT_FOUND", "key_name")
        self.assertTrue(self.client.call("CreateKeypair", keypair()).ok)
        self.assertOutcome(self.client.call("DeleteKeypair", delete_keypair(token)), "executed")
        self.assertEqual([pair.region for pair in self.key_pairs()], ["eu-west-1"])


class FilterTest(ServerCase):
    def filtered(self, method: str, repeated: str, **values) -> list:
        """What is listed with these filters, in pages of 2: by name, `_` for `-`, one value or several."""
        filters = [compute_pb2.Filter(name=name.replace("_", "-"), values=[value] if isinstance(value, str) else value)
                   for name, value in values.items()]
        return getattr(self, repeated)(page_size=2, filters=filters)

    def ids(self, **values) -> set:
        return {i.instance_id for i in self.filtered("DescribeInstances", "instances", **values)}

    def test_instances_by_each_of_their_properties(self):
        self.assertTrue(self.client.call("CreateKeypair", keypair()).ok)
        token = new_token()
        special = run(token, zone="us-east-1b", instance_type="m5.xlarge", key_name="pair", tags={"Owner": "me"})
        (one,) = self.client.call("RunInstances", special).parsed.instances
        others = self.client.call(
            "RunInstances", run(image=OTHER_IMAGE, zone="us-east-1a", min_count=4, tags={"Team": "x"})).parsed
        rest = {i.instance_id for i in others.instances}
        only = {one.instance_id}
        eventually(lambda: {i.state for i in self.instances()} == {RUNNING}, "running")
        for values, expected in (
                ({"instance_type": "m5.xlarge"}, only), ({"image_id": IMAGE}, only), ({"image_id": OTHER_IMAGE}, rest),
                ({"availability_zone": "us-east-1b"}, only), ({"subnet_id": one.subnet_id}, only),
                ({"key_name": "pair"}, only), ({"key_name": ""}, rest), ({"host_id": ""}, only | rest),
                ({"reservation_id": [one.reservation_id, others.reservation_id]}, only | rest),
                ({"private_ip_address": one.private_ip_address}, only), ({"client_token": token}, only),
                ({"tag_key": "Owner"}, only), ({"tag_key": ["Owner", "Team"]}, only | rest),
                ({"tag:Owner": "me"}, only),
                ({"tag:Owner": "Me"}, set()), ({"instance_state_name": "running"}, only | rest),
                ({"instance_state_name": ["pending", "stopped"]}, set()),
                ({"instance_state_name": "running", "tag:Team": "x"}, rest),
                ({"image_id": IMAGE, "tag:Team": "x"}, set())):
            with self.subTest(values):
                self.assertEqual(self.ids(**values), expected)
        self.assertTrue(self.client.call("TerminateInstances", terminate(one.instance_id)).ok)
        eventually(lambda: self.ids(instance_state_name="terminated") == only, "terminated")
        self.assertEqual(self.ids(instance_state_name="running"), rest)

    def test_hosts_and_key_pairs_by_theirs(self):
        (on,) = self.client.call("AllocateHosts", hosts(auto_placement="on", tags={"a": "1"})).parsed.host_ids
        (off,) = self.client.call("AllocateHosts", hosts(zone="eu-west-1a", instance_type="m5.xlarge")).parsed.host_ids
        for values, expected in (({"auto_placement": "on"}, on), ({"availability_zone": "eu-west-1a"}, off),
                                 ({"instance_type": "m5.xlarge"}, off), ({"tag:a": ["0", "1"]}, on)):
            with self.subTest(values):
                found = self.filtered("DescribeHosts", "hosts", **values)
                self.assertEqual([host.host_id for host in found], [expected])
        pairs = [self.client.call("CreateKeypair", keypair(name=name)).parsed for name in ("one", "two")]
        for values in ({"key_name": "two"}, {"key_pair_id": pairs[1].key_pair_id},
                       {"fingerprint": pairs[1].key_fingerprint}):
            with self.subTest(values):
                found = self.filtered("DescribeKeypairs", "key_pairs", **values)
                self.assertEqual([pair.key_name for pair in found], ["two"])

    def test_a_wrong_filter_is_refused_with_what_is_allowed(self):
        one = compute_pb2.Filter(name="tag-key", values=["v"])
        for method, filters, says in (
                ("DescribeInstances", [compute_pb2.Filter(name="color", values=["v"])], ("color", "image-id", "tag:<")),
                ("DescribeHosts", [compute_pb2.Filter(name="image-id", values=["v"])], ("image-id", "auto-placement")),
                ("DescribeKeypairs", [compute_pb2.Filter(name="host-id", values=["v"])], ("host-id", "fingerprint")),
                ("DescribeInstances", [one] * 51, ("at most 50",)),
                ("DescribeHosts", [compute_pb2.Filter(name="tag-key")], ("1 to 200",)),
                ("DescribeKeypairs", [compute_pb2.Filter(name="tag-key", values=["v"] * 201)], ("1 to 200",))):
            with self.subTest(method=method, says=says):
                request = getattr(compute_pb2, method + "Request")(filters=filters)
                self.assertRefused(self.client.call(method, request), "INVALID_PARAMETER", "filters", says)


class PagingTest(ServerCase):
    """What is there all the time is listed exactly once, in order, while a writer adds and removes on both sides."""

    PAGE_SIZE = 5
    KEPT = 25

    def while_writing(self, write, read) -> None:
        """Reads ten lists while `write` is called, again and again, by another client of the tenant."""
        client, stop, wrong = self.client_of(self.tenant), threading.Event(), []

        def writer():
            chance = random.Random(1)
            try:
                while not stop.is_set():
                    write(client, chance)
            except Exception as error:  # pylint: disable=broad-except
                wrong.append(error)

        thread = threading.Thread(target=writer)
        thread.start()
        try:
            for _ in range(10):
                read()
        finally:
            stop.set()
            thread.join()
        self.assertEqual(wrong, [])

    def assertListed(self, listed: list, kept: set) -> None:
        self.assertEqual(listed, sorted(set(listed)))  # In order, and none twice.
        self.assertLessEqual(kept, set(listed))

    def test_instances_while_others_are_launched_and_terminated(self):
        kept = {i.instance_id for i in self.client.call("RunInstances", run(min_count=self.KEPT)).parsed.instances}

        def write(client, _):
            (instance,) = client.call("RunInstances", run()).parsed.instances
            client.call("TerminateInstances", terminate(instance.instance_id)).parsed

        self.while_writing(write, lambda: self.assertListed(
            [i.instance_id for i in self.instances(page_size=self.PAGE_SIZE)], kept))

    def test_hosts_while_others_are_allocated_and_released(self):
        kept = set(self.client.call("AllocateHosts", hosts(quantity=self.KEPT)).parsed.host_ids)

        def write(client, _):
            made = client.call("AllocateHosts", hosts(quantity=2)).parsed.host_ids
            client.call("ReleaseHosts", release(*made)).parsed

        self.while_writing(write, lambda: self.assertListed(
            [host.host_id for host in self.hosts(page_size=self.PAGE_SIZE)], kept))
        self.assertEqual({host.host_id for host in self.hosts()}, kept)

    def test_key_pairs_while_others_are_made_and_deleted(self):
        kept = {f"pair-{i:02}" for i in range(self.KEPT)}
        for name in kept:
            self.assertTrue(self.client.call("CreateKeypair", keypair(name=name)).ok)

        def write(client, chance):
            name = f"pair-{chance.randrange(self.KEPT):02}-more"
            client.call("CreateKeypair", keypair(name=name)).parsed
            client.call("DeleteKeypair", delete_keypair(name=name)).parsed

        self.while_writing(write, lambda: self.assertListed(
            [pair.key_name for pair in self.key_pairs(page_size=self.PAGE_SIZE)], kept))
        self.assertEqual({pair.key_name for pair in self.key_pairs()}, kept)

    def test_named_hosts_that_are_released_between_pages_are_left_out(self):
        ids = sorted(self.client.call("AllocateHosts", hosts(quantity=6)).parsed.host_ids)
        request = compute_pb2.DescribeHostsRequest(host_ids=ids, page_size=3)
        first = self.client.call("DescribeHosts", request).parsed
        self.assertTrue(self.client.call("ReleaseHosts", release(ids[0], ids[4])).ok)
        request.page_token = first.next_page_token
        second = self.client.call("DescribeHosts", request).parsed
        self.assertEqual([host.host_id for page in (first, second) for host in page.hosts],
                         [*ids[:4], ids[5]])
        fresh = self.client.call("DescribeHosts", compute_pb2.DescribeHostsRequest(host_ids=ids))
        self.assertRefused(fresh, "HOST_NOT_FOUND", "host_ids")


if __name__ == "__main__":
    unittest.main()
