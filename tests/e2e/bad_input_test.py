"""Requests that are wrong: each is refused with an error that names the field and what is allowed (C27), and leaves
nothing behind (C12)."""

import gzip
import unittest

import grpc

import raw_http2
import wire
from case import ServerCase, hosts, keypair, new_token, run, terminate
from client import ADMIN, SERVICE
from protos import compute_pb2

MUTATING = ("RunInstances", "AllocateHosts", "CreateKeypair", "TerminateInstances")
READING = ("DescribeInstances", "DescribeHosts", "DescribeKeypairs", "DescribeSubnets", "DescribeAvailabilityZones")
NO_INSTANCE = "i-00000000000000000"


def placed(**placement):
    return run(placement=compute_pb2.Placement(**placement))


class BadInputCase(ServerCase):
    def tearDown(self):
        self.assertEqual((self.instances(), self.hosts(), self.key_pairs()), ([], [], []))

    def assertAllRefused(self, method: str, *rows) -> None:
        """Each row (request, reason, field, parts of the message) is refused, twice under one token."""
        for request, reason, field, says in rows:
            with self.subTest(method=method, request=str(request)[:200], reason=reason):
                token = (("x-client-token", new_token()),)
                for _ in range(2):
                    self.assertRefused(self.client.call(method, request, token), reason, field, says)


class ParameterTest(BadInputCase):
    def test_C27_counts(self):
        self.assertAllRefused(
            "RunInstances",
            (run(min_count=-1), "INVALID_PARAMETER", "min_count", ["1", "100000"]),
            (run(min_count=1, max_count=-1), "INVALID_PARAMETER", "max_count", ["1", "100000"]),
            (run(min_count=-2**31, max_count=2**31 - 1), "INVALID_PARAMETER", "min_count", ["1", "100000"]),
            (run(min_count=1, max_count=100_001), "INVALID_PARAMETER", "max_count", ["100000"]),
            (run(min_count=2**31 - 1, max_count=2**31 - 1), "INVALID_PARAMETER", "min_count", ["100000"]),
            (run(min_count=3, max_count=2), "INVALID_PARAMETER", "min_count", ["max_count"]),
            (run(min_count=20_001, max_count=100_000), "QUOTA_EXCEEDED", "", ["20000"]))
        self.assertAllRefused(
            "AllocateHosts",
            (hosts(quantity=-1), "INVALID_PARAMETER", "quantity", ["1000"]),
            (hosts(quantity=1001), "INVALID_PARAMETER", "quantity", ["1000"]))

    def test_C27_places(self):
        a, b = self.subnet_in("us-east-1a"), self.subnet_in("eu-west-1b")
        self.assertAllRefused(
            "RunInstances",
            (run(region="mars-1"), "UNKNOWN_REGION", "region", ["mars-1", "us-east-1"]),
            (run(region="US-EAST-1"), "UNKNOWN_REGION", "region", []),
            (run(zone="us-east-1z"), "UNKNOWN_AVAILABILITY_ZONE", "placement.availability_zone", ["us-east-1z"]),
            (run(zone="us-east-1"), "UNKNOWN_AVAILABILITY_ZONE", "placement.availability_zone", []),
            (run(subnet_id="subnet-none"), "SUBNET_NOT_FOUND", "subnet_id", ["subnet-none"]),
            (run(zone="us-east-1a", region="eu-west-1"), "INVALID_PARAMETER", "region", ["us-east-1"]),
            (run(subnet_id=a, region="eu-west-1"), "INVALID_PARAMETER", "region", ["us-east-1"]),
            (run(zone="eu-west-1a", subnet_id=b), "ZONE_SUBNET_CONFLICT", "subnet_id", ["eu-west-1a", "eu-west-1b"]),
            (run(zone="us-east-1a", subnet_id=b), "ZONE_SUBNET_CONFLICT", "subnet_id", []))
        self.assertAllRefused(
            "AllocateHosts",
            (hosts(zone=""), "INVALID_PARAMETER", "availability_zone", []),
            (hosts(zone="us-east-1z"), "UNKNOWN_AVAILABILITY_ZONE", "availability_zone", ["us-east-1z"]),
            (hosts(zone="us-east-1a", region="eu-west-1"), "INVALID_PARAMETER", "region", ["us-east-1"]))
        for method, request in (("CreateKeypair", keypair(region="mars-1")),
                                ("TerminateInstances", terminate(NO_INSTANCE, region="mars-1"))):
            self.assertAllRefused(method, (request, "UNKNOWN_REGION", "region", ["mars-1"]))

    def test_C27_names_and_choices(self):
        self.assertAllRefused(
            "RunInstances",
            (run(image=""), "INVALID_PARAMETER", "image_id", []),
            (run(image="ami-none"), "IMAGE_NOT_FOUND", "image_id", ["ami-none"]),
            (run(instance_type="m5.none"), "INVALID_PARAMETER", "instance_type", ["m5.large"]),
            (run(key_name="none"), "KEYPAIR_NOT_FOUND", "key_name", ["none"]),
            (placed(tenancy="shared"), "INVALID_PARAMETER", "placement.tenancy", ["default", "host"]),
            (placed(tenancy="host", host_id="h-00000000000000000"), "HOST_NOT_FOUND", "placement.host_id", []))
        self.assertAllRefused(
            "AllocateHosts",
            (hosts(instance_type=""), "INVALID_PARAMETER", "instance_type", []),
            (hosts(instance_type="m5.none"), "INVALID_PARAMETER", "instance_type", ["m5.large"]),
            (hosts(auto_placement="maybe"), "INVALID_PARAMETER", "auto_placement", ["on", "off"]))
        self.assertAllRefused(
            "CreateKeypair",
            (keypair(name=""), "INVALID_PARAMETER", "key_name", []),
            (keypair(name="n" * 256), "INVALID_PARAMETER", "key_name", ["255"]),
            (keypair(name="n" * 1_000_000), "INVALID_PARAMETER", "key_name", ["255"]),
            (keypair(name="two\nlines"), "INVALID_PARAMETER", "key_name", []),
            (keypair(name="schlüssel"), "INVALID_PARAMETER", "key_name", []),
            (keypair(key_type=99), "INVALID_PARAMETER", "key_type", ["RSA"]))
        self.assertAllRefused(
            "TerminateInstances",
            (terminate(), "INVALID_PARAMETER", "instance_ids", []),
            (terminate(NO_INSTANCE), "INSTANCE_NOT_FOUND", "instance_ids", [NO_INSTANCE]),
            (terminate(*[NO_INSTANCE] * 1001), "INVALID_PARAMETER", "instance_ids", ["1000"]))

    def test_C27_tags(self):
        for method, request in (("RunInstances", run()), ("AllocateHosts", hosts()), ("CreateKeypair", keypair())):
            for tags, allowed in (
                    ({f"k{i}": "" for i in range(51)}, "50"), ({"": "v"}, "128"), ({"k" * 129: "v"}, "128"),
                    ({"k": "v" * 257}, "256"), ({"k": "v" * 3_000_000}, "256")):
                request.ClearField("tags")
                request.tags.update(tags)
                self.assertAllRefused(method, (request, "INVALID_PARAMETER", "tags", [allowed]))

    def test_C27_lists(self):
        for method in READING:
            request = getattr(compute_pb2, method + "Request")
            self.assertAllRefused(
                method,
                (request(page_size=-1), "INVALID_PARAMETER", "page_size", []),
                (request(page_token="no page of mine"), "INVALID_PARAMETER", "page_token", []),
                (request(region="mars-1"), "UNKNOWN_REGION", "region", ["mars-1"]))
        self.assertAllRefused(
            "DescribeInstances",
            (compute_pb2.DescribeInstancesRequest(instance_ids=[NO_INSTANCE]), "INSTANCE_NOT_FOUND", "instance_ids",
             [NO_INSTANCE]))

    def test_C27_undecodable_bytes(self):
        for method in MUTATING + READING:
            for undecodable in (b"\xff", b"\x00", wire.text(1, "cut off")[:-1], wire.varint(1 << 3 | 7),
                                wire.text(1, b"\xff\xfe is not UTF-8")):
                self.assertAllRefused(method, (undecodable, "INVALID_PARAMETER", "", []))


class TokenTest(BadInputCase):
    def test_C2_malformed_tokens(self):
        for token in ("t" * 65, "t" * 1_000_000, "two words", " ", "tab\t", "line\n", "bell\x07", "zero\0", "del\x7f",
                      "schlüssel", "\u2003", "\U0001f511"):
            for method, request in (("RunInstances", run(token)),
                                    ("TerminateInstances", terminate(NO_INSTANCE, token=token))):
                with self.subTest(token=token[:80], method=method):
                    refused = self.client.call(method, request)
                    self.assertRefused(refused, "INVALID_CLIENT_TOKEN", "client_token", ["64"])

    def test_C2_malformed_tokens_in_headers(self):
        for name in ("x-client-token", "idempotency-key"):
            for token in ("t" * 65, "two words", ""):
                with self.subTest(header=name, token=token):
                    refused = self.client.call("RunInstances", run(), ((name, token),))
                    self.assertRefused(refused, "INVALID_CLIENT_TOKEN", name, ["64"])
        for token in ('""', '"two words"', '"' + "t" * 65 + '"'):
            with self.subTest(token):
                refused = self.client.call("RunInstances", run(), (("idempotency-key", token),))
                self.assertRefused(refused, "INVALID_CLIENT_TOKEN", "idempotency-key", ["64"])

    def test_C2_header_bytes_that_are_not_ascii(self):
        for name in ("x-client-token", "idempotency-key", "x-tenant-id"):
            metadata = [("x-tenant-id", self.tenant.encode())] if name != "x-tenant-id" else []
            raw_http2.exchange(
                self.server.address,
                raw_http2.headers(SERVICE + "RunInstances", [*metadata, (name, "schlüssel".encode("latin-1"))]),
                raw_http2.message(run().SerializeToString()))


class TenantTest(BadInputCase):
    def test_C27_a_request_that_was_never_sent_is_not_an_empty_one(self):
        for method in ("DescribeSubnets", "RunInstances"):  # An empty request lists all subnets.
            fields = dict(raw_http2.refusal(raw_http2.exchange(
                self.server.address, raw_http2.headers(SERVICE + method, []), raw_http2.no_message())))
            self.assertEqual(fields["grpc-status"], str(grpc.StatusCode.INVALID_ARGUMENT.value[0]).encode(), fields)

    def test_C4_malformed_tenants(self):
        for tenant in ("a/b", "a b", "a:b", "*", "t" * 65, ""):
            for method, request in (("RunInstances", run(new_token())), ("DescribeInstances", b"")):
                with self.subTest(tenant=tenant, method=method):
                    refused = self.client_of(tenant).call(method, request)
                    self.assertRefused(refused, "INVALID_PARAMETER", "x-tenant-id", ["64"])

    def test_C4_every_character_that_a_tenant_may_have(self):
        for tenant in ("azAZ09._-", "t" * 64, "-", "."):
            with self.subTest(tenant):
                self.assertEqual(self.instances(self.client_of(tenant)), [])


class TransportTest(BadInputCase):
    def test_C32_a_compressed_message_is_unimplemented_whatever_the_method(self):
        packed = gzip.compress(run().SerializeToString())
        for method in (SERVICE + "RunInstances", "/grpc.health.v1.Health/Check",
                       "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"):
            for encoding in (b"gzip", b"deflate", b"snappy", b"identity", None):
                with self.subTest(method=method, encoding=encoding):
                    metadata = [("grpc-encoding", encoding)] if encoding else []
                    fields = dict(raw_http2.refusal(raw_http2.exchange(
                        self.server.address, raw_http2.headers(method, metadata),
                        raw_http2.message(packed, compressed=True))))
                    self.assertEqual((fields["grpc-status"], fields["grpc-accept-encoding"]), (b"12", b"identity"))

    def test_C32_bytes_that_are_no_message_are_internal_whatever_the_method_and_run_nothing(self):
        # To each of these methods an empty request is one.
        for method in (SERVICE + "DescribeSubnets", ADMIN + "CreateBackup", "/grpc.health.v1.Health/Check",
                       "/grpc.health.v1.Health/Watch", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"):
            for content_type in (b"application/grpc", b"text/plain"):
                for body in (b"hello, is anybody there?", b"\x02\0\0\0\0\0", b"\xff" * 10_000):
                    # HTTP clients, such as curl, announce how long it is.
                    metadata = [("content-length", b"%d" % len(body))]
                    with self.subTest(method=method, content_type=content_type, body=body[:9]):
                        fields = dict(raw_http2.refusal(raw_http2.exchange(
                            self.server.address, raw_http2.headers(method, metadata, content_type),
                            raw_http2.bytes_as_they_are(body))))
                        self.assertEqual(fields["grpc-status"], b"13", fields)
                        self.assertIn(b"no message", fields["grpc-message"])

    def test_C32_without_te_trailers_which_no_web_page_can_send_a_call_is_refused(self):
        fields = dict(raw_http2.refusal(raw_http2.exchange(
            self.server.address, raw_http2.headers(SERVICE + "DescribeSubnets", [], b"text/plain", leave_out="te"),
            raw_http2.message(b""))))
        self.assertEqual(fields["grpc-status"], b"2", fields)

    def test_a_request_beyond_the_message_limit_is_refused(self):
        refused = self.client.call("RunInstances", run(tags={"k": "v" * 20_000_000}))
        self.assertIn(refused.code, (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT))

    def test_unknown_methods_are_unimplemented(self):
        for method in ("RunInstance", "/hapax.compute.v1.Nothing/RunInstances", "/nothing"):
            self.assertEqual(self.client.call(method, b"").code, grpc.StatusCode.UNIMPLEMENTED)

    def test_bytes_that_are_no_http2(self):
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0" * 1000, b"\xff" * 100_000, raw_http2.PREFACE + b"\xff" * 100,
                        raw_http2.PREFACE[:10], b""):
            raw_http2.send_garbage(self.server.address, garbage)
            self.assertTrue(self.client.call("DescribeSubnets", b"").ok)


class BoundaryTest(ServerCase):
    """What is just allowed."""

    def test_the_largest_tags_and_names_are_taken(self):
        tags = {f"{i:02}" + "k" * 126: "v" * 256 for i in range(50)}
        first = self.assertOutcome(self.client.call("RunInstances", run("t" * 64, tags=tags)), "executed").parsed
        self.assertEqual(dict(first.instances[0].tags), tags)
        self.assertOutcome(self.client.call("CreateKeypair", keypair("k", "n" * 255, tags=tags)), "executed")
        self.assertOutcome(self.client.call("CreateKeypair", keypair("l", " ~", tags={"k": ""})), "executed")


if __name__ == "__main__":
    unittest.main()
