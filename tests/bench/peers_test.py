#!/usr/bin/env python3
"""The peers of the benchmark keep their promises: one that cheated would be worthless as a comparison.

A peer that cannot be had here is skipped, and its reason printed."""

import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import unittest
import uuid

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

from peer_etcd import EtcdSameRows  # noqa: E402
from peer_postgres import PostgresSameRows  # noqa: E402
from peer_redis import RedisPeer  # noqa: E402
from peers import PEERS  # noqa: E402
from ledger_protos import ledger_pb2  # noqa: E402
from protos import compute_pb2  # noqa: E402

BUILD = pathlib.Path(os.environ.get("HAPAX_BUILD_DIR") or sys.exit("HAPAX_BUILD_DIR: set it to the build directory"))
# Also those of the benchmark of several servers.
SAME_ROWS = (EtcdSameRows, PostgresSameRows)
HELD = {**PEERS, **{peer.name: peer for peer in SAME_ROWS}}
CALL_TIMEOUT_S = 30
DUPLICATES = 16
TOKENS_AT_ONCE = 8
# What one who is refused because of a duplicate under way is told.
IN_PROGRESS = None
JSON_POSTING = {"account": "assets:cash", "amount": 4711, "memo": "m" * 200}
POSTING = ledger_pb2.Posting(**JSON_POSTING)


def new_token() -> str:
    return str(uuid.uuid4())


class GrpcClient:
    """Thread-safe."""

    def __init__(self, running):
        self._posts = running.mutation == "post"
        self._channel = grpc.insecure_channel(running.target, (("grpc.use_local_subchannel_pool", 1),))
        self._method = self._channel.unary_unary(
            "/bench.v1.Ledger/Post" if self._posts else "/hapax.compute.v1.Compute/RunInstances")

    def call(self, token: str):
        """The reply's bytes; IN_PROGRESS when a duplicate is under way."""
        if self._posts:
            request = ledger_pb2.PostRequest(client_token=token, posting=POSTING)
        else:
            request = compute_pb2.RunInstancesRequest(client_token=token, image_id="ami-b232d0db")
        try:
            return self._method(request.SerializeToString(), timeout=CALL_TIMEOUT_S, wait_for_ready=True)
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.ABORTED:
                return IN_PROGRESS
            raise

    def effect(self, reply: bytes):
        """The id of the posting, which the reply repeats; or that of the launched instance, and its token."""
        if self._posts:
            posted = ledger_pb2.PostResponse.FromString(reply)
            assert posted.posting == POSTING, posted
            return posted.posting_id, None
        launched = compute_pb2.RunInstancesResponse.FromString(reply).instances[0]
        return launched.instance_id, launched.client_token

    def close(self) -> None:
        self._channel.close()


class HttpClient:
    """Thread-safe: a connection for each call."""

    def __init__(self, running):
        self._host, path = running.target.split("/", 1)
        self._path = "/" + path

    def call(self, token: str) -> bytes:
        connection = http.client.HTTPConnection(self._host, timeout=CALL_TIMEOUT_S)
        try:
            connection.request("POST", self._path, json.dumps({"posting": JSON_POSTING}),
                               {"content-type": "application/json", "idempotency-key": token})
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if response.status == 409:
            return IN_PROGRESS
        if response.status != 200:
            raise AssertionError(f"{response.status}: {body}")
        return body

    @staticmethod
    def effect(reply: bytes):
        """The id of the posting, which the reply repeats."""
        posted = json.loads(reply)
        assert posted["posting"] == JSON_POSTING, posted
        return posted["posting_id"], None

    def close(self) -> None:
        pass


class PeerPromises:
    """What every peer is held to; each test has a database of its own."""

    name: str

    def setUp(self):
        self.peer = HELD[self.name](BUILD)
        if reason := self.peer.unavailable():
            print(f"{self.name}: skipped: {reason}", file=sys.stderr)
            self.skipTest(reason)
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="hapax-peers-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.addCleanup(self.peer.stop)
        self.client = self.connect(self.peer.start(self.scratch))

    def connect(self, running):
        client = (GrpcClient if running.protocol == "grpc" else HttpClient)(running)
        self.addCleanup(client.close)
        return client

    def test_a_duplicate_gets_the_bytes_of_the_first_reply_and_has_no_effect(self):
        token = new_token()
        first = self.client.call(token)
        self.assertEqual([self.client.call(token) for _ in range(3)], [first] * 3)
        self.assertEqual(self.peer.effects(), 1)

    def test_another_token_has_an_effect_and_a_reply_of_its_own(self):
        tokens = [new_token() for _ in range(5)]
        effects = [self.client.effect(self.client.call(token)) for token in tokens]
        self.assertEqual(len({identity for identity, _ in effects}), len(tokens))
        for token, (_, named) in zip(tokens, effects):
            self.assertIn(named, (token, None))
        self.assertEqual(self.peer.effects(), len(tokens))

    def test_duplicates_at_once_have_one_effect_and_one_reply(self):
        for _ in range(TOKENS_AT_ONCE):
            replies = self.at_once(new_token())
            if not self.peer.refuses_duplicates_at_once:
                self.assertNotIn(IN_PROGRESS, replies)
            self.assertEqual(len(set(replies) - {IN_PROGRESS}), 1)
        self.assertEqual(self.peer.effects(), TOKENS_AT_ONCE)

    def test_a_record_outlives_a_kill_of_everything(self):
        if not self.peer.survives_kill:
            self.skipTest(f"{self.name} does not promise it")
        replies = {token: self.client.call(token) for token in (new_token() for _ in range(20))}
        after = self.connect(self.peer.restart_after_kill())
        self.assertEqual({token: after.call(token) for token in replies}, replies)
        self.assertEqual(self.peer.effects(), len(replies))
        self.assertNotIn(after.call(new_token()), replies.values())

    def test_it_says_its_version(self):
        self.assertRegex(self.peer.version(), r"\d+\.\d+")

    def at_once(self, token: str) -> list:
        """The replies to calls that are sent together; one that is refused is in it, and its retry, too."""
        barrier = threading.Barrier(DUPLICATES)

        def call():
            barrier.wait(CALL_TIMEOUT_S)
            replies = [self.client.call(token)]
            deadline = time.monotonic() + CALL_TIMEOUT_S
            while replies[-1] is IN_PROGRESS and time.monotonic() < deadline:
                replies.append(self.client.call(token))
            return replies

        with concurrent.futures.ThreadPoolExecutor(DUPLICATES) as pool:
            futures = [pool.submit(call) for _ in range(DUPLICATES)]
            return [reply for future in futures for reply in future.result()]


class RedisPromises(PeerPromises):
    def test_a_posting_that_is_refused_leaves_no_reply(self):
        token = new_token()
        self.peer.allow_keys("token:*", "node-idempotency*")
        with self.assertRaises((grpc.RpcError, AssertionError)):
            self.client.call(token)
        self.peer.allow_keys("*")
        # The claim is left until it expires.
        self.assertIs(self.client.call(token), IN_PROGRESS)
        self.assertEqual(self.peer.effects(), 0)


for peer_name, peer_class in PEERS.items():
    promises = RedisPromises if issubclass(peer_class, RedisPeer) else PeerPromises
    case = "".join(word.capitalize() for word in peer_name.split("_"))
    globals()[f"{case}Test"] = type(f"{case}Test", (promises, unittest.TestCase), {"name": peer_name})


class SameRowsPromises(PeerPromises):
    def test_launches_at_once_are_all_counted(self):
        with concurrent.futures.ThreadPoolExecutor(DUPLICATES) as pool:
            list(pool.map(self.client.call, [new_token() for _ in range(2 * DUPLICATES)]))
        self.assertEqual(self.peer.counts(), (2 * DUPLICATES, 2 * DUPLICATES))


class EtcdSameRowsTest(SameRowsPromises, unittest.TestCase):
    name = EtcdSameRows.name


class PostgresSameRowsTest(SameRowsPromises, unittest.TestCase):
    name = PostgresSameRows.name

    def test_each_instance_is_booted_once(self):
        token = new_token()
        for each in (token, new_token(), token):
            self.client.call(each)
        deadline = time.monotonic() + CALL_TIMEOUT_S
        while (booted := self.peer.booted()) != (2, 0) and time.monotonic() < deadline:
            pass
        self.assertEqual(booted, (2, 0))


if __name__ == "__main__":
    unittest.main()
