"""The examples of the documents that Hapax follows, as they stand: EC2's, OpenStack's, Yandex Cloud's, and the three
situations of the blog. Each is executed, replayed, and replayed again by the server that follows a kill -9."""

import unittest

from case import IMAGE, OTHER_IMAGE, ServerCase, eventually, hosts, new_token, run
from client import Client
from relay import Relay

# EC2's examples all carry this token, in scopes of their own.
TOKEN = "550e8400-e29b-41d4-a716-446655440000"
YANDEX_TOKEN = "c1700de3-b8cb-4d8a-9990-e4ebf052e9aa"

CLI_EXAMPLES = (
    # aws ec2 allocate-hosts --instance-type m5.large --availability-zone eu-west-1a --auto-placement on --quantity 1
    ("AllocateHosts", hosts(TOKEN, zone="eu-west-1a", auto_placement="on", quantity=1)),
    # aws ec2 run-instances --image-id ami-b232d0db --count 1 --key-name my-key-pair
    ("RunInstances", run(TOKEN, image=IMAGE, min_count=1, max_count=1, key_name="my-key-pair")),
    # aws ec2 run-instances --placement "AvailabilityZone=us-east-1a" --image-id ami-b232d0db --count 1 ...
    ("RunInstances", run(TOKEN, zone="us-east-1a", image=IMAGE, min_count=1, max_count=1, key_name="my-key-pair")),
)
QUERY_EXAMPLES = (
    # Action=AllocateHosts&AvailabilityZone=us-east-1b&InstanceType=m5.large&Quantity=1&AutoPlacement=off
    ("AllocateHosts", hosts(TOKEN, zone="us-east-1b", auto_placement="off", quantity=1)),
    # Action=RunInstances&ImageId=ami-3ac33653&MaxCount=1&MinCount=1&KeyName=my-key-pair
    ("RunInstances", run(TOKEN, image=OTHER_IMAGE, min_count=1, max_count=1, key_name="my-key-pair")),
    # Action=RunInstances&Placement.AvailabilityZone=us-east-1d&ImageId=ami-3ac33653&MaxCount=1&MinCount=1...
    ("RunInstances",
     run(TOKEN, zone="us-east-1d", image=OTHER_IMAGE, min_count=1, max_count=1, key_name="my-key-pair")),
)


class SeedCase(ServerCase):
    def kill_and_restart(self) -> None:
        self.server.kill()
        self.server.start()

    def assertHappensOnce(self, calls) -> list:
        """Makes each call (method, request, metadata) as first attempt, as retry and as retry after a kill -9; returns
        the replies of the first attempts."""
        sent = [(method, request if isinstance(request, bytes) else request.SerializeToString(), metadata)
                for method, request, metadata in calls]
        firsts = [self.assertOutcome(self.client.call(*call), "executed") for call in sent]
        for call, first in zip(sent, firsts):
            self.assertReplays(self.client.call(*call), first)
        self.kill_and_restart()
        for call, first in zip(sent, firsts):
            self.assertReplays(self.client.call(*call), first)
        return [first.parsed for first in firsts]


class Ec2Test(SeedCase):
    def test_C9_C14_cli_examples(self):
        allocated, regional, zonal = self.assertHappensOnce([(*example, ()) for example in CLI_EXAMPLES])

        (host,) = self.hosts()
        self.assertEqual(list(allocated.host_ids), [host.host_id])
        self.assertEqual((host.region, host.availability_zone), ("eu-west-1", "eu-west-1a"))
        self.assertEqual((host.instance_type, host.auto_placement, host.client_token), ("m5.large", "on", TOKEN))
        self.assertRan(regional, IMAGE)
        self.assertRan(zonal, IMAGE)
        self.assertEqual(zonal.instances[0].availability_zone, "us-east-1a")
        self.assertEqual(len(self.instances(client_token=TOKEN)), 2)

    def test_C9_C14_query_examples(self):
        allocated, regional, zonal = self.assertHappensOnce([(*example, ()) for example in QUERY_EXAMPLES])

        (host,) = self.hosts()
        self.assertEqual(list(allocated.host_ids), [host.host_id])
        self.assertEqual((host.availability_zone, host.auto_placement), ("us-east-1b", "off"))
        self.assertRan(regional, OTHER_IMAGE)
        self.assertRan(zonal, OTHER_IMAGE)
        self.assertEqual(zonal.instances[0].availability_zone, "us-east-1d")
        self.assertEqual(len(self.instances(client_token=TOKEN)), 2)

    def assertRan(self, reply, image: str) -> None:
        (instance,) = reply.instances
        self.assertRegex(reply.reservation_id, "^r-[0-9a-f]{17}$")
        self.assertRegex(instance.instance_id, "^i-[0-9a-f]{17}$")
        self.assertEqual(reply.owner_id, self.tenant)
        self.assertEqual((instance.image_id, instance.key_name), (image, "my-key-pair"))
        self.assertEqual((instance.region, instance.client_token), ("us-east-1", TOKEN))
        self.assertIn(instance, self.instances_as_launched())

    def instances_as_launched(self) -> list:
        """The tenant's instances, with the state that a reply to their launch shows."""
        listed = self.instances()
        for instance in listed:
            instance.state = 1  # PENDING
        return listed

    def test_C10_query_example_2_after_cli_example_2_changes_the_image_under_the_same_token(self):
        self.assertOutcome(self.client.call(*CLI_EXAMPLES[1]), "executed")
        reply = self.client.call(*QUERY_EXAMPLES[1])
        self.assertRefused(reply, "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assertEqual(reply.fields, ["image_id"])

    def test_C6_the_same_token_launches_in_us_east_1a_and_in_us_east_1b(self):
        one, other = self.assertHappensOnce([
            ("RunInstances", run(TOKEN, zone=zone), ()) for zone in ("us-east-1a", "us-east-1b")])
        self.assertEqual([one.instances[0].availability_zone, other.instances[0].availability_zone],
                         ["us-east-1a", "us-east-1b"])

    def test_C6_the_same_token_launches_in_us_east_1_and_in_eu_west_1(self):
        one, other = self.assertHappensOnce([
            ("RunInstances", run(TOKEN, region=region), ()) for region in ("us-east-1", "eu-west-1")])
        self.assertEqual([one.instances[0].region, other.instances[0].region], ["us-east-1", "eu-west-1"])


class HeaderTest(SeedCase):
    def test_C1_openstack_x_client_token(self):
        # nova --x-client-token boot: the header 'X-Client-Token: foo', with no configuration.
        self.assertHappensOnce([("RunInstances", run(), (("x-client-token", "foo"),))])
        self.assertEqual(len(self.instances(client_token="foo")), 1)

    def test_C3_openstack_without_the_header_it_works_as_before(self):
        for _ in range(2):
            self.assertOutcome(self.client.call("RunInstances", run()), "unprotected")
        self.kill_and_restart()
        self.assertEqual(len({instance.reservation_id for instance in self.instances()}), 2)

    def test_C1_yandex_idempotency_key(self):
        self.assertHappensOnce([("RunInstances", run(), (("idempotency-key", YANDEX_TOKEN),))])
        self.assertEqual(len(self.instances(client_token=YANDEX_TOKEN)), 1)

    def test_C1_ietf_idempotency_key_in_quotes_is_the_same_token(self):
        quoted = (("idempotency-key", f'"{YANDEX_TOKEN}"'),)
        self.assertHappensOnce([("RunInstances", run(), quoted)])
        unquoted = self.client.call("RunInstances", run(), (("idempotency-key", YANDEX_TOKEN),))
        self.assertReplays(unquoted, self.client.call("RunInstances", run(), quoted))
        self.assertEqual(len(self.instances(client_token=YANDEX_TOKEN)), 1)


class BlogTest(SeedCase):
    """The three situations; the client calls through a network that loses things."""

    def setUp(self):
        super().setUp()
        self.token = new_token()
        self.relay = Relay(self.server)
        self.addCleanup(self.relay.close)
        self.far = self.client_of(self.tenant, self.relay)
        self.assertTrue(self.far.call("DescribeSubnets", b"").ok)

    def test_C13_situation_1_the_request_did_not_make_it_to_the_server(self):
        self.relay.lose_requests = True
        lost = self.far.call("RunInstances", run(self.token), timeout=0.3)
        self.assertEqual(lost.code.name, "DEADLINE_EXCEEDED")
        self.assertEqual(self.instances(), [])

        retry = self.assertOutcome(self.client.call("RunInstances", run(self.token)), "executed")
        self.assertEqual([i.reservation_id for i in self.instances()], [retry.parsed.reservation_id])

    def test_C14_situation_2_the_server_died_somewhere_in_between(self):
        tokens = [new_token() for _ in range(48)]
        caller = Client(self.server, self.tenant)
        self.addCleanup(caller.close)
        calls = [caller.start("RunInstances", run(token)) for token in tokens]
        acknowledged = {tokens[0]: calls[0].reply()}
        self.server.kill()
        for token, call in zip(tokens, calls):
            reply = call.reply()
            if reply.ok:
                acknowledged[token] = reply
            else:
                self.assertEqual(reply.code.name, "UNAVAILABLE", reply)
        self.server.start()

        for token in tokens:
            retry = self.client.call("RunInstances", run(token))
            self.assertTrue(retry.ok, retry)
            if token in acknowledged:
                self.assertReplays(retry, acknowledged[token])
            self.assertReplays(self.client.call("RunInstances", run(token)), retry)
        self.assertEqual(sorted(i.client_token for i in self.instances()), sorted(tokens))

    def test_C15_situation_3_the_result_did_not_reach_the_client(self):
        self.relay.lose_replies = True
        unanswered = self.far.start("RunInstances", run(self.token))
        (effect,) = eventually(lambda: self.instances(client_token=self.token), "the effect of the unanswered call")
        self.relay.close()
        self.assertEqual(unanswered.reply().code.name, "UNAVAILABLE")

        retry = self.assertOutcome(self.client.call("RunInstances", run(self.token)), "replayed")
        self.assertEqual(retry.parsed.reservation_id, effect.reservation_id)
        self.assertEqual(len(self.instances()), 1)


if __name__ == "__main__":
    unittest.main()
