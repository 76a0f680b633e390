"""bench_fill: what it puts into a table is what a server would have put there, as far as a client can tell."""

import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HAPAX_BUILD_DIR") or sys.exit("HAPAX_BUILD_DIR: set it to where bench_fill is"))
# The end-to-end tests start servers of their own from there.
os.environ.setdefault("HAPAXD", str(BUILD / "hapaxd"))
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

from case import EXPIRED, OTHER_IMAGE, ContractCase, get_token, list_tokens, run  # noqa: E402
from client import Client  # noqa: E402
from context import Context  # noqa: E402
from filled import fill  # noqa: E402
from systems import Hapax  # noqa: E402

TOKENS = 3000
SAMPLES = 200
ZONE = "us-east-1a"
REGION = "us-east-1"


class FillTest(ContractCase):
    def serve(self, tokens: int, **flags) -> Client:
        """A client of a server on a directory that was filled."""
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-test-"))
        self.addCleanup(shutil.rmtree, scratch, ignore_errors=True)
        self.context = Context(build=BUILD, quick=True, repeats=1, seconds=0.1, warmup=0)
        self.filled = fill(self.context, scratch, tokens, **flags)
        hapax = Hapax(BUILD)
        self.addCleanup(hapax.stop)
        self.running = hapax.start(scratch)
        # What Client asks of an endpoint.
        endpoint = type("Endpoint", (), {"address": self.running.target, "starts": 1})()
        client = Client(endpoint)
        self.addCleanup(client.close)
        return client

    def test_every_token_is_listed_once_and_its_retry_replays_a_reply_of_its_own(self):
        client = self.serve(TOKENS)
        listed = [token.client_token for token in list_tokens(client, page_size=1000)]
        # The pattern's is one more.
        self.assertEqual((len(listed), len(set(listed))), (TOKENS + 1, TOKENS + 1))
        self.assertEqual(self.filled["tokens"], TOKENS)

        reservations = set()
        for token in random.Random(1).sample(listed, SAMPLES):
            reply = self.assertOutcome(client.call("RunInstances", run(token, ZONE)), "replayed")
            self.assertEqual([instance.client_token for instance in reply.parsed.instances], [token])
            self.assertEqual(reply.parsed.instances[0].reservation_id, reply.parsed.reservation_id)
            reservations.add(reply.parsed.reservation_id)
        self.assertEqual(len(reservations), SAMPLES)

    def test_other_parameters_are_a_mismatch(self):
        client = self.serve(TOKENS)
        for token in list_tokens(client, page_size=10)[:5]:
            reply = client.call("RunInstances", run(token.client_token, ZONE, OTHER_IMAGE))
            self.assertRefused(reply, "IDEMPOTENT_PARAMETER_MISMATCH", "image_id")

    def test_the_load_draws_from_all_of_them_and_executes_none(self):
        client = self.serve(TOKENS)
        result = self.context.load(self.running, "replay", outcome="replayed", flags={"filled_tokens": TOKENS})
        self.assertGreater(result["calls"], 0)
        self.assertEqual(len(list_tokens(client, page_size=1000)), TOKENS + 1)

    def test_another_seed_is_other_tokens(self):
        client = self.serve(TOKENS, seed=3)
        self.context.load(self.running, "replay", in_flight=1, outcome="", flags={"filled_tokens": 1, "fill_seed": 1})
        self.assertEqual(len(list_tokens(client, page_size=1000)), TOKENS + 2)

    def test_records_expire_when_they_are_told_to(self):
        client = self.serve(10, expire_in="-2s")
        pattern_or_not = [get_token(client, token.client_token, REGION, ZONE).parsed.token.state
                          for token in list_tokens(client)]
        self.assertEqual(pattern_or_not.count(EXPIRED), 10)
        self.assertEqual(len(pattern_or_not), 11)

    def test_a_directory_without_a_pattern_is_refused(self):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-test-"))
        self.addCleanup(shutil.rmtree, scratch, ignore_errors=True)
        hapax = Hapax(BUILD)
        hapax.start(scratch)
        hapax.stop()
        ended = subprocess.run([BUILD / "bench_fill", f"--data_dir={scratch / 'data'}"], capture_output=True, text=True,
                               timeout=60)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("no call with a token", ended.stderr)


if __name__ == "__main__":
    unittest.main()
