"""What the end-to-end tests share: a server for each class, a tenant for each test, and the contract's assertions."""

import itertools
import os
import time
import unittest
import uuid

from client import TOKENS, Client, Reply
from etcd import ServerGroup
from harness import Server
from protos import compute_pb2, tokens_pb2
from reasons import REASONS

IMAGE = "ami-b232d0db"
OTHER_IMAGE = "ami-3ac33653"
FREE = tokens_pb2.TOKEN_STATE_FREE
EXECUTED = tokens_pb2.TOKEN_STATE_EXECUTED
EXPIRED = tokens_pb2.TOKEN_STATE_EXPIRED
ABANDONED = tokens_pb2.TOKEN_STATE_ABANDONED
# How long something asynchronous may take before a test gives up on it.
PATIENCE_S = 30

_tenants = itertools.count(1)


def new_token() -> str:
    return str(uuid.uuid4())


def run(token="", zone="", image=IMAGE, **fields):
    """A RunInstances request; `zone` goes into the placement."""
    request = compute_pb2.RunInstancesRequest(client_token=token, image_id=image, **fields)
    if zone:
        request.placement.availability_zone = zone
    return request


def hosts(token="", zone="us-east-1a", instance_type="m5.large", **fields):
    return compute_pb2.AllocateHostsRequest(
        client_token=token, availability_zone=zone, instance_type=instance_type, **fields)


def keypair(token="", name="pair", **fields):
    return compute_pb2.CreateKeypairRequest(client_token=token, key_name=name, **fields)


def release(*host_ids, token="", **fields):
    return compute_pb2.ReleaseHostsRequest(client_token=token, host_ids=host_ids, **fields)


def delete_keypair(token="", name="pair", **fields):
    return compute_pb2.DeleteKeypairRequest(client_token=token, key_name=name, **fields)


def terminate(*instance_ids, token="", **fields):
    return compute_pb2.TerminateInstancesRequest(client_token=token, instance_ids=instance_ids, **fields)


def get_token(client: Client, token: str, region="", zone="") -> Reply:
    return client.call(TOKENS + "GetToken", tokens_pb2.GetTokenRequest(
        client_token=token, region=region, availability_zone=zone))


def abandon_token(client: Client, token: str, region="", zone="") -> Reply:
    return client.call(TOKENS + "AbandonToken", tokens_pb2.AbandonTokenRequest(
        client_token=token, region=region, availability_zone=zone))


def uuid7(time_s: float) -> str:
    """A UUID of version 7 (RFC 9562, section 5.7) that says it was made at this time since the epoch."""
    random_bits = uuid.uuid4().int & ~(0xFFFFFFFFFFFF << 80 | 0xF << 76)
    return str(uuid.UUID(int=int(time_s * 1000) << 80 | 7 << 76 | random_bits))


def pages(client: Client, method: str, repeated: str, **fields) -> list:
    """Everything that a Describe method lists, over all its pages."""
    return all_pages(client, method, repeated, getattr(compute_pb2, method + "Request")(**fields))


def list_tokens(client: Client, **fields) -> list:
    return all_pages(client, TOKENS + "ListTokens", "tokens", tokens_pb2.ListTokensRequest(**fields))


def all_pages(client: Client, method: str, repeated: str, request) -> list:
    found = []
    for _ in range(10_000):
        page = client.call(method, request).parsed
        found.extend(getattr(page, repeated))
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token
    raise AssertionError(f"{method} does not come to a last page")


def eventually(probe, what: str, patience_s: float = PATIENCE_S):
    """Polls until `probe` gives something true, and returns that."""
    deadline = time.monotonic() + patience_s
    while not (found := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience_s} s: {what}")
        time.sleep(0.01)
    return found


# With more than one, a ServerCase has so many servers on one cluster of etcd, and each call reaches another.
SERVERS = int(os.environ.get("HAPAX_E2E_SERVERS", "1"))


class ContractCase(unittest.TestCase):
    """Assertions on replies; no server."""

    def assertOutcome(self, reply: Reply, outcome: str) -> Reply:
        """Success, marked as the contract says (C26)."""
        self.assertTrue(reply.ok, reply)
        self.assertEqual(reply.outcome, outcome)
        self.assertEqual(reply.initial.get("idempotent-replayed"), "true" if outcome == "replayed" else None)
        return reply

    def assertReplays(self, reply: Reply, first: Reply) -> None:
        """The first reply's bytes, verbatim (C9)."""
        self.assertOutcome(reply, "replayed")
        self.assertEqual(reply.raw, first.raw)

    def assertRefused(self, reply: Reply, reason: str, field: str = "", says=()) -> Reply:
        """An error of the contract's form (C27), for this reason, that names `field` and says each of `says`."""
        self.assertFalse(reply.ok, f"expected {reason}, got {reply}")
        self.assertEqual(reply.reason, reason, reply)
        expected = REASONS[reason]
        self.assertEqual(reply.code, expected.code, reply)
        self.assertEqual(reply.retry, expected.retry, reply)
        self.assertEqual(reply.retry_delays_s, expected.retry_delays_s, reply)
        self.assertEqual([info.domain for info in reply.error_infos], ["hapax"], reply)
        self.assertEqual(reply.status.code, expected.code.value[0], reply)
        self.assertEqual(reply.status.message, reply.message)
        self.assertNotIn(reply.outcome, ("executed", "replayed", "unprotected"))
        if field:
            named = {name.split("[")[0] for name in reply.fields}
            self.assertTrue(field in named or (reason != "INVALID_PARAMETER" and field in reply.message),
                            f"{field} not named by {reply}")
        text = " ".join([reply.message, *(violation.description for violation in reply.violations)])
        for part in says:
            self.assertIn(part, text)
        return reply


class ServerCase(ContractCase):
    """One server for all tests of a class, which disturb each other as little as tenants do."""

    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = ServerGroup(SERVERS, *cls.flags) if SERVERS > 1 else Server(*cls.flags)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.tenant = f"{self._testMethodName[:50]}.{next(_tenants)}"
        self.client = self.client_of(self.tenant)

    def client_of(self, tenant, endpoint=None, metadata=(), credentials=None) -> Client:
        client = Client(endpoint or self.server, tenant, metadata, credentials)
        self.addCleanup(client.close)
        return client

    def instances(self, client=None, **fields) -> list:
        return pages(client or self.client, "DescribeInstances", "instances", **fields)

    def hosts(self, client=None, **fields) -> list:
        return pages(client or self.client, "DescribeHosts", "hosts", **fields)

    def key_pairs(self, client=None, **fields) -> list:
        return pages(client or self.client, "DescribeKeypairs", "key_pairs", **fields)

    def subnet_in(self, zone: str) -> str:
        subnets = pages(self.client, "DescribeSubnets", "subnets")
        return next(subnet.subnet_id for subnet in subnets if subnet.availability_zone == zone)
