"""What makes two requests the same (C22), and what a retry with other parameters is told (C10)."""

import unittest

import wire
from case import IMAGE, OTHER_IMAGE, ServerCase, hosts, keypair, new_token, run, terminate
from protos import compute_pb2, resources_pb2

# Field numbers of RunInstancesRequest, CreateKeypairRequest and AllocateHostsRequest, as a foreign encoder knows them.
TOKEN, REGION, IMAGE_ID, INSTANCE_TYPE, MIN, MAX, KEY_NAME, SUBNET_ID, PLACEMENT, TAGS = range(1, 11)
KEYPAIR_KEY_NAME, KEYPAIR_KEY_TYPE = 3, 4
HOSTS_ZONE, HOSTS_TYPE, HOSTS_QUANTITY, HOSTS_AUTO_PLACEMENT = 3, 4, 5, 6
ZONE_NAME, TENANCY, HOST_ID = 1, 2, 3
# In no message.
UNKNOWN = 2000


class SameMeaningTest(ServerCase):
    """Pairs of encodings that mean the same: the second is a retry of the first."""

    def assertSame(self, *encodings: bytes, method="RunInstances") -> None:
        """Each encoding, as the first attempt, is replayed for every other one. `encodings` lack the token."""
        for position, one in enumerate(encodings):
            token = new_token()
            with self.subTest(first=one):
                if method == "CreateKeypair":
                    one = one + wire.text(KEYPAIR_KEY_NAME, f"pair-{token}")
                first = self.assertOutcome(self.client.call(method, wire.text(TOKEN, token) + one), "executed")
                for other in encodings[:position] + encodings[position + 1:]:
                    if method == "CreateKeypair":
                        other = other + wire.text(KEYPAIR_KEY_NAME, f"pair-{token}")
                    self.assertReplays(self.client.call(method, other + wire.text(TOKEN, token)), first)

    def test_C22_order_of_fields(self):
        fields = [wire.text(IMAGE_ID, IMAGE), wire.number(MIN, 1), wire.number(MAX, 2),
                  wire.text(KEY_NAME, "my-key-pair"),
                  wire.text(PLACEMENT, wire.text(ZONE_NAME, "us-east-1a") + wire.text(TENANCY, "default"))]
        swapped = wire.text(PLACEMENT, wire.text(TENANCY, "default") + wire.text(ZONE_NAME, "us-east-1a"))
        self.assertSame(b"".join(fields), b"".join(reversed(fields)), b"".join([swapped, *fields[:-1]]))

    def test_C22_order_of_map_entries(self):
        image = wire.text(IMAGE_ID, IMAGE)
        tags = [wire.entry(TAGS, f"key-{i}", f"value-{i}") for i in range(9)]
        inside_out = [wire.entry(TAGS, f"key-{i}", f"value-{i}", value_first=True) for i in range(9)]
        self.assertSame(image + b"".join(tags), b"".join(reversed(tags)) + image, image + b"".join(inside_out))

    def test_C22_other_encodings_of_the_same_values(self):
        plain = wire.text(IMAGE_ID, IMAGE) + wire.number(MIN, 1) + wire.text(
            PLACEMENT, wire.text(ZONE_NAME, "us-east-1a") + wire.text(TENANCY, "default")) + wire.entry(TAGS, "k", "v")
        long_winded = (
            wire.text(IMAGE_ID, OTHER_IMAGE) + wire.text(IMAGE_ID, IMAGE)  # The last one counts.
            + wire.number(MIN, 1, padding=3)
            + wire.text(PLACEMENT, wire.text(ZONE_NAME, "us-east-1a"))  # Two halves are merged.
            + wire.text(PLACEMENT, wire.text(TENANCY, "default"))
            + wire.entry(TAGS, "k", "other") + wire.entry(TAGS, "k", "v"))
        self.assertEqual(self.read(plain), self.read(long_winded))
        self.assertSame(plain, long_winded)

    def read(self, encoded: bytes):
        """What protobuf's own library makes of a request."""
        request = compute_pb2.RunInstancesRequest.FromString(encoded)
        tags = dict(request.tags)
        request.ClearField("tags")
        return request, tags

    def test_C22_explicit_zero_values(self):
        image = wire.text(IMAGE_ID, IMAGE)
        zeros = (wire.number(MIN, 0) + wire.number(MAX, 0) + wire.text(KEY_NAME, "") + wire.text(SUBNET_ID, "")
                 + wire.text(INSTANCE_TYPE, "") + wire.text(REGION, ""))
        self.assertSame(image, image + zeros, zeros + image, image + wire.text(PLACEMENT, b""),
                        image + wire.text(PLACEMENT, wire.text(ZONE_NAME, "") + wire.text(HOST_ID, "")))
        self.assertSame(image + wire.entry(TAGS, "empty", ""), image + wire.text(TAGS, wire.text(1, "empty")))

    def test_C22_explicit_default_counts(self):
        image = wire.text(IMAGE_ID, IMAGE)
        self.assertSame(image, image + wire.number(MIN, 1), image + wire.number(MAX, 1),
                        image + wire.number(MIN, 1) + wire.number(MAX, 1))
        self.assertSame(image + wire.number(MIN, 3), image + wire.number(MAX, 3),
                        image + wire.number(MIN, 3) + wire.number(MAX, 3))

    def test_C22_explicit_default_region(self):
        image = wire.text(IMAGE_ID, IMAGE)
        self.assertSame(image, image + wire.text(REGION, "us-east-1"))
        zonal = image + wire.text(PLACEMENT, wire.text(ZONE_NAME, "eu-west-1b"))
        self.assertSame(zonal, zonal + wire.text(REGION, "eu-west-1"))

    def test_C22_explicit_default_tenancy(self):
        image = wire.text(IMAGE_ID, IMAGE)
        self.assertSame(image, image + wire.text(PLACEMENT, wire.text(TENANCY, "default")))

    def test_C22_the_explicit_default_type(self):
        image = wire.text(IMAGE_ID, IMAGE)
        self.assertSame(image, image + wire.text(INSTANCE_TYPE, "m5.large"))

    def test_C22_the_explicit_zone_of_a_subnet(self):
        subnet = wire.text(IMAGE_ID, IMAGE) + wire.text(SUBNET_ID, self.subnet_in("us-east-1b"))
        zone = wire.text(ZONE_NAME, "us-east-1b")
        self.assertSame(subnet, subnet + wire.text(PLACEMENT, zone),
                        subnet + wire.text(PLACEMENT, zone + wire.text(TENANCY, "default")))

    def test_C22_explicit_default_key_type(self):
        self.assertSame(b"", wire.number(KEYPAIR_KEY_TYPE, 0), wire.number(KEYPAIR_KEY_TYPE, 1), method="CreateKeypair")

    def test_C22_explicit_defaults_of_a_host(self):
        host = wire.text(HOSTS_ZONE, "us-east-1a") + wire.text(HOSTS_TYPE, "m5.large")
        self.assertSame(host, host + wire.number(HOSTS_QUANTITY, 1) + wire.text(HOSTS_AUTO_PLACEMENT, "off"),
                        wire.number(HOSTS_QUANTITY, 0) + host + wire.text(HOSTS_AUTO_PLACEMENT, ""),
                        method="AllocateHosts")

    def test_C22_an_unknown_field_repeated_as_it_was(self):
        self.assertSame(wire.text(IMAGE_ID, IMAGE) + wire.text(UNKNOWN, "from the future"),
                        wire.text(UNKNOWN, "from the future") + wire.text(IMAGE_ID, IMAGE))


class OtherParametersTest(ServerCase):
    def assertMismatch(self, reply, fields=None):
        self.assertRefused(reply, "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assertTrue(reply.message.startswith("IdempotentParameterMismatch"), reply.message)
        if fields is not None:
            self.assertEqual(sorted(reply.fields), sorted(fields), reply)

    def test_C10_each_field_that_differs_is_named_and_nothing_else(self):
        subnet = self.subnet_in("us-east-1a")
        same = {"zone": "us-east-1a", "min_count": 1, "max_count": 2, "key_name": "my-key-pair", "tags": {"k": "v"}}
        token = new_token()
        first = self.assertOutcome(self.client.call("RunInstances", run(token, **same)), "executed")
        for change, fields in (
                ({"image": OTHER_IMAGE}, ["image_id"]),
                ({"instance_type": "m5.xlarge"}, ["instance_type"]),
                ({"min_count": 2}, ["min_count"]),
                ({"max_count": 3}, ["max_count"]),
                ({"min_count": 3, "max_count": 4}, ["min_count", "max_count"]),
                ({"key_name": ""}, ["key_name"]),
                ({"subnet_id": subnet}, ["subnet_id"]),
                ({"tags": {"k": "w"}}, ["tags"]),
                ({"tags": {}}, ["tags"]),
                ({"tags": {"k": "v", "l": ""}}, ["tags"]),
                ({"image": OTHER_IMAGE, "tags": {"K": "v"}}, ["image_id", "tags"])):
            with self.subTest(change):
                self.assertMismatch(self.client.call("RunInstances", run(token, **{**same, **change})), fields)
        placed = run(token, **same)
        placed.placement.tenancy = "host"
        self.assertMismatch(self.client.call("RunInstances", placed), ["placement"])
        self.assertEqual(len(self.instances()), len(first.parsed.instances))
        self.assertReplays(self.client.call("RunInstances", run(token, **same)), first)

    def test_C10_fields_of_the_other_methods(self):
        token = new_token()
        self.assertOutcome(self.client.call("AllocateHosts", hosts(token, quantity=2)), "executed")
        for change, fields in (({"quantity": 3}, ["quantity"]), ({"auto_placement": "on"}, ["auto_placement"]),
                               ({"instance_type": "m5.xlarge", "quantity": 2}, ["instance_type"])):
            reply = self.client.call("AllocateHosts", hosts(token, **{"quantity": 2, **change}))
            self.assertMismatch(reply, fields)
        token = new_token()
        self.assertOutcome(self.client.call("CreateKeypair", keypair(token)), "executed")
        self.assertMismatch(self.client.call("CreateKeypair", keypair(token, "other")), ["key_name"])
        rsa = keypair(token, key_type=resources_pb2.KEY_TYPE_RSA)
        self.assertMismatch(self.client.call("CreateKeypair", rsa), ["key_type"])
        token = new_token()
        one, two = (i.instance_id for i in self.client.call("RunInstances", run(min_count=2)).parsed.instances)
        self.assertOutcome(self.client.call("TerminateInstances", terminate(one, token=token)), "executed")
        self.assertMismatch(self.client.call("TerminateInstances", terminate(two, token=token)), ["instance_ids"])
        self.assertEqual((len(self.hosts()), len(self.key_pairs())), (2, 1))

    def test_C10_values_are_never_told(self):
        token, secrets = new_token(), ("hunter2-was-it", "correct-horse-now")
        self.assertOutcome(self.client.call("RunInstances", run(token, tags={"s": secrets[0]})), "executed")
        reply = self.client.call("RunInstances", run(token, tags={"s": secrets[1]}))
        self.assertMismatch(reply, ["tags"])
        for secret in secrets:
            for value in (reply.message, *reply.initial.values(), *reply.trailing.values()):
                self.assertNotIn(secret.encode(), value if isinstance(value, bytes) else value.encode())

    def test_C22_an_unknown_field_is_a_difference(self):
        token = new_token()
        plain = run(token, zone="us-east-1a").SerializeToString()
        first = self.assertOutcome(self.client.call("RunInstances", plain), "executed")
        self.assertMismatch(self.client.call("RunInstances", plain + wire.text(UNKNOWN, "x")))
        self.assertMismatch(self.client.call("RunInstances", plain + wire.number(UNKNOWN, 0)))
        nested = plain + wire.text(PLACEMENT, wire.number(UNKNOWN, 1))
        self.assertMismatch(self.client.call("RunInstances", nested), ["placement"])
        self.assertReplays(self.client.call("RunInstances", plain), first)

    def test_C22_an_unknown_field_that_changes_or_goes_is_a_difference(self):
        token = new_token()
        plain = run(token).SerializeToString()
        first = self.assertOutcome(self.client.call("RunInstances", plain + wire.text(UNKNOWN, "x")), "executed")
        self.assertMismatch(self.client.call("RunInstances", plain + wire.text(UNKNOWN, "y")))
        self.assertMismatch(self.client.call("RunInstances", plain))
        self.assertReplays(self.client.call("RunInstances", plain + wire.text(UNKNOWN, "x")), first)
        self.assertEqual(len(self.instances()), 1)


if __name__ == "__main__":
    unittest.main()
