"""bench_load against Hapax, the echo, and servers that note what they were asked: what it sends, counts and refuses.
Nothing here depends on how fast anything is."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HAPAX_BUILD_DIR") or sys.exit("HAPAX_BUILD_DIR: set it to where bench_load is"))
sys.path.insert(0, str(ROOT / "bench"))

from processes import rss_bytes, tree  # noqa: E402
from servers import HttpServer, grpc_server  # noqa: E402
from systems import Echo, Hapax, Ledger  # noqa: E402

OUTCOMES = {"first_execution": "executed", "replay": "replayed", "unprotected": "unprotected", "read": ""}
# A reply holds times and addresses, whose size varies by a few bytes.
REPLY_TOLERANCE_BYTES = 8
STALL_S = 0.2


def load(target: str, figure: str = "first_execution", **flags) -> subprocess.CompletedProcess:
    flags = {"duration": "200ms", "warmup": "50ms", "in_flight": 8, "tokens": 50, **flags}
    return subprocess.run([BUILD / "bench_load", f"--target={target}", f"--figure={figure}",
                           *(f"--{name}={value}" for name, value in flags.items())],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


class LoadCase(unittest.TestCase):
    def assertMeasures(self, ended: subprocess.CompletedProcess) -> dict:
        """The load's JSON, of a run without errors."""
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        measuring, measured, line = ended.stdout.splitlines()
        self.assertEqual((measuring, measured), ("measuring", "measured"))
        found = json.loads(line)
        self.assertEqual(found["errors"], 0)
        self.assertGreater(found["calls"], 0)
        self.assertLessEqual(0, found["p50_us"])
        self.assertLessEqual(found["p50_us"], found["p99_us"])
        self.assertLessEqual(found["p99_us"], found["p999_us"])
        self.assertLessEqual(found["p999_us"], found["max_us"])
        return found

    def assertRefuses(self, ended: subprocess.CompletedProcess, says: str) -> None:
        self.assertEqual(ended.returncode, 1)
        self.assertIn(says, ended.stderr)


class SystemsTest(LoadCase):
    @classmethod
    def setUpClass(cls):
        cls.running = {}
        for system in (Hapax(BUILD), Echo(BUILD)):
            scratch = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-test-"))
            cls.addClassCleanup(shutil.rmtree, scratch, ignore_errors=True)
            cls.addClassCleanup(system.stop)
            cls.running[system.name] = system.start(scratch)
        cls.hapax = cls.running["hapax"].target
        cls.echo = cls.running["echo"].target

    def test_each_figure_has_the_outcome_it_is_named_for_and_the_echo_a_reply_of_that_size(self):
        for figure, outcome in OUTCOMES.items():
            with self.subTest(figure=figure):
                hapax = self.assertMeasures(load(self.hapax, figure, expect_outcome=outcome))
                echo = self.assertMeasures(load(self.echo, figure))
                self.assertAlmostEqual(hapax["reply_bytes"], echo["reply_bytes"], delta=REPLY_TOLERANCE_BYTES)

    def test_a_post_is_executed_once_and_replayed_and_the_echo_has_a_reply_of_that_size(self):
        targets = []
        for system in (Ledger(BUILD), Echo(BUILD, mutation="post")):
            scratch = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-test-"))
            self.addCleanup(shutil.rmtree, scratch, ignore_errors=True)
            self.addCleanup(system.stop)
            targets.append(system.start(scratch).target)
        for figure in ("first_execution", "replay", "unprotected"):
            hapax = self.assertMeasures(load(targets[0], figure, mutation="post", expect_outcome=OUTCOMES[figure]))
            echo = self.assertMeasures(load(targets[1], figure, mutation="post"))
            self.assertEqual(hapax["reply_bytes"], echo["reply_bytes"])

    def test_another_outcome_spoils_the_run(self):
        for figure, outcome, found in (("first_execution", "replayed", "executed"), ("replay", "executed", "replayed"),
                                       ("unprotected", "executed", "unprotected"), ("read", "executed", "none")):
            with self.subTest(figure=figure):
                self.assertRefuses(load(self.hapax, figure, expect_outcome=outcome), f"outcome {found}")

    def test_an_open_loop_makes_every_call_of_its_rate(self):
        for target in (self.hapax, self.echo):
            found = self.assertMeasures(load(target, rate=500, duration="400ms"))
            self.assertEqual(found["calls"], 200)

    def test_of_more_calls_than_there_may_be_the_rest_is_counted_as_refused_where_that_is_expected(self):
        system = Hapax(BUILD, "--max_calls_in_flight_per_tenant=1")
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-test-"))
        self.addCleanup(shutil.rmtree, scratch, ignore_errors=True)
        self.addCleanup(system.stop)
        target = system.start(scratch).target
        found = self.assertMeasures(load(target, may_be_refused=True, expect_outcome="executed", duration="1s"))
        self.assertGreater(found["refused"], 0)
        self.assertRefuses(load(target), "gRPC status 8")
        # Another tenant's calls are its own: one of them at a time is not refused.
        self.assertMeasures(load(target, in_flight=1, tenant="another"))

    def test_it_calls_as_the_tenant_that_is_named(self):
        self.assertRefuses(load(self.hapax, tenant="no tenant!"), "x-tenant-id")

    def test_replies_are_as_large_as_the_launch(self):
        system = Echo(BUILD, instances=20)
        scratch = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-test-"))
        self.addCleanup(shutil.rmtree, scratch, ignore_errors=True)
        self.addCleanup(system.stop)
        echo = self.assertMeasures(load(system.start(scratch).target))
        hapax = self.assertMeasures(load(self.hapax, instances=20))
        self.assertAlmostEqual(hapax["reply_bytes"], echo["reply_bytes"], delta=20 * REPLY_TOLERANCE_BYTES)

    def test_many_connections_and_threads(self):
        for target in (self.hapax, self.echo):
            self.assertMeasures(load(target, connections=100, in_flight=100))
            self.assertMeasures(load(target, "replay", connections=5, in_flight=7, threads=3))

    def test_a_systems_processes_are_found_with_their_memory(self):
        pids = self.running["hapax"].pids
        self.assertEqual(tree(pids), set(pids))
        self.assertGreater(rss_bytes(pids), 2**20)
        self.assertTrue(set(pids) < tree([os.getpid()]))

    def test_flags_that_make_no_sense_are_refused(self):
        for says, flags in (("--figure=none", {"figure": "none"}), ("--protocol=http3", {"protocol": "http3"}),
                            ("--mutation=none", {"mutation": "none"}),
                            ("--figure=read", {"figure": "read", "mutation": "post"}),
                            ("--figure=read", {"figure": "read", "protocol": "http1"}),
                            ("--expect_outcome", {"protocol": "http1", "expect_outcome": "executed"}),
                            ("--threads", {"threads": 0}), ("--in_flight", {"in_flight": 0}),
                            ("--connections", {"connections": 0}), ("--tokens", {"tokens": 0}),
                            ("--rate", {"rate": -1})):
            with self.subTest(flags=flags):
                self.assertRefuses(load(self.echo, **flags), says)


class GrpcTest(LoadCase):
    def test_connections_are_connections_of_their_own(self):
        peers = set()

        def answer(request, context):
            peers.add(context.peer())
            return b""

        for connections in (1, 12):
            peers.clear()
            with grpc_server(answer) as target:
                self.assertMeasures(load(target, connections=connections, in_flight=12))
            self.assertEqual(len(peers), connections)

    def test_a_server_that_stalls_misses_no_call_of_an_open_loop(self):
        """Coordinated omission: the calls that fall due while it stalls are made all the same, and counted as late."""
        stalled = threading.Event()

        def answer(request, context):
            if not stalled.is_set():
                stalled.wait(STALL_S)
                stalled.set()
            return b""

        with grpc_server(answer) as target:
            found = self.assertMeasures(load(target, rate=200, in_flight=1, duration="500ms", warmup="0ms"))
        self.assertEqual(found["calls"], 100)
        # Of 100 calls, 40 fell due during the stall, at even distances: the second one waited for most of it.
        self.assertGreaterEqual(found["p99_us"], STALL_S * 1e6 * 0.9)

    def test_a_call_that_fails_spoils_the_run(self):
        def answer(request, context):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many")

        with grpc_server(answer) as target:
            self.assertRefuses(load(target), "gRPC status 8: too many")
            self.assertRefuses(load(target, "replay"), "gRPC status 8: too many")
            self.assertRefuses(load(target, "unprotected", rate=100), "gRPC status 8: too many")


class HttpTest(LoadCase):
    def server(self, **arguments) -> HttpServer:
        server = HttpServer(**arguments)
        self.addCleanup(server.close)
        return server

    def load(self, server: HttpServer, figure: str = "first_execution", **flags) -> subprocess.CompletedProcess:
        return load(server.target, figure, protocol="http1", **flags)

    def test_first_executions_each_have_a_key_of_their_own_and_calls_in_flight_a_connection(self):
        for chunked in (False, True):
            server = self.server(chunked=chunked)
            found = self.assertMeasures(self.load(server, in_flight=5))
            self.assertEqual(found["reply_bytes"], 5)
            self.assertEqual(set(server.keys.values()), {1})
            self.assertNotIn(None, server.keys)
            self.assertEqual(len(server.connections), 5)
            path, content_type, body = server.last
            self.assertEqual((path, content_type), ("/launches", "application/json"))
            self.assertEqual(json.loads(body)["image_id"], "ami-b232d0db")

    def test_replays_are_of_the_keys_that_were_executed_before(self):
        server = self.server()
        self.assertMeasures(self.load(server, "replay", tokens=3))
        self.assertEqual(len(server.keys), 3)
        self.assertGreater(min(server.keys.values()), 1)

    def test_unprotected_calls_have_no_key(self):
        server = self.server()
        self.assertMeasures(self.load(server, "unprotected"))
        self.assertEqual(set(server.keys), {None})

    def test_an_open_loop_makes_every_call_of_its_rate(self):
        found = self.assertMeasures(self.load(self.server(), rate=250, duration="400ms", in_flight=3))
        self.assertEqual(found["calls"], 100)

    def test_what_is_not_2xx_spoils_the_run(self):
        self.assertRefuses(self.load(self.server(status=503)), "HTTP/1.1 503")

    def test_nobody_there_is_an_error(self):
        server = HttpServer()
        server.close()
        self.assertRefuses(self.load(server), "cannot connect")


if __name__ == "__main__":
    unittest.main()
