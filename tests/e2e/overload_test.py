"""More than the server can take: what it takes is served as ever, the rest is refused at once, and it is no worse for it
afterwards; of tenants, who floods it leaves room for the others. Latencies and memory are printed, and not judged."""

import collections
import multiprocessing
import statistics
import threading
import time
import unittest

from case import ServerCase, keypair, new_token, run
from client import CALL_TIMEOUT_S, Client
from protos import resources_pb2

RSA = resources_pb2.KEY_TYPE_RSA
# Times the capacity.
OVERLOAD = 3
MEASURED_KEYS = 12
OFFERED_KEYS = 60
RETRIED_KEYS = 3
# Calls in flight, by which the wait of those that are accepted is bounded.
PLACES = 6

FLOOD_IN_FLIGHT = 64
FLOOD_SHARE = 8
QUIET_CALLS = 300


def rss_kib(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def milliseconds(latencies_s) -> str:
    ordered = sorted(latencies_s)
    return (f"p50 {statistics.median(ordered) * 1e3:.1f} ms, p99 {ordered[int(len(ordered) * 0.99)] * 1e3:.1f} ms, "
            f"max {ordered[-1] * 1e3:.1f} ms")


class Timed:
    """A call under way, and how long it takes from when it was due."""

    def __init__(self, client: Client, request, due: float):
        self.request = request
        self.latency_s = None
        self.pending = client.start("CreateKeypair", request)
        self.pending.on_end(lambda: setattr(self, "latency_s", time.monotonic() - due))


class OpenLoopTest(ServerCase):
    """RSA keys, since so few of them a second are a server's capacity that a client in Python can offer more."""

    flags = (f"--max_calls_in_flight={PLACES}", f"--max_calls_in_flight_per_tenant={PLACES}", "--log_level=warning")

    def capacity(self) -> float:
        """Keys a second that the server makes, always with some to do."""
        begin = time.monotonic()
        waiting = collections.deque()
        for _ in range(MEASURED_KEYS):
            if len(waiting) == PLACES // 2:
                self.assertOutcome(waiting.popleft().reply(), "executed")
            waiting.append(self.client.start("CreateKeypair", keypair(new_token(), name=new_token(), key_type=RSA)))
        for call in waiting:
            self.assertOutcome(call.reply(), "executed")
        return MEASURED_KEYS / (time.monotonic() - begin)

    def offer(self, calls_per_second: float) -> list:
        """Makes calls when they are due, whatever becomes of those before."""
        begin = time.monotonic()
        offered = []
        for i in range(OFFERED_KEYS):
            due = begin + i / calls_per_second
            time.sleep(max(0.0, due - time.monotonic()))
            offered.append(Timed(self.client, keypair(new_token(), name=new_token(), key_type=RSA), due))
        return offered

    def test_three_times_the_capacity(self):
        before = self.capacity()
        memory_before = rss_kib(self.server.pid)
        offered = self.offer(OVERLOAD * before)
        replies = [(call, call.pending.reply()) for call in offered]
        accepted = [call for call, reply in replies if reply.ok]
        refused = [(call, reply) for call, reply in replies if not reply.ok]
        for _, reply in refused:
            self.assertRefused(reply, "OVERLOADED", says=[f"max_calls_in_flight is {PLACES}"])
        self.assertGreater(len(refused), 0)
        self.assertGreaterEqual(len(accepted), PLACES)
        # Who was refused had no effect, and who was not had one.
        self.assertEqual({pair.key_name for pair in self.key_pairs()} & {call.request.key_name for call in offered},
                         {call.request.key_name for call in accepted})
        memory_after = rss_kib(self.server.pid)
        after = self.capacity()
        for call, _ in refused[:RETRIED_KEYS]:
            self.assertOutcome(self.client.call("CreateKeypair", call.request), "executed")
        for call in accepted:
            self.assertOutcome(self.client.call("CreateKeypair", call.request), "replayed")
        print(f"capacity {before:.0f} keys/s before, {after:.0f} after; offered {OVERLOAD * before:.0f}/s: "
              f"{len(accepted)} accepted, {milliseconds(call.latency_s for call in accepted)}; {len(refused)} refused, "
              f"{milliseconds(call.latency_s for call, _ in refused)}; RSS {memory_before} KiB before, "
              f"{memory_after} KiB after")


class Endpoint:
    """An address that does not change."""

    starts = 1

    def __init__(self, address: str):
        self.address = address


def flood(address: str, stop, told) -> None:
    """Launches without pause, as tenant `flooder`, heeding no refusal; tells how calls ended, by what was said of them.

    Runs as a process of its own."""
    client = Client(Endpoint(address), "flooder")
    ends = collections.Counter()
    in_flight = threading.Semaphore(FLOOD_IN_FLIGHT)
    started = collections.deque()

    def count() -> None:
        reply = started.popleft().reply()
        ends[reply.outcome if reply.ok else (reply.reason, reply.message, tuple(reply.retry_delays_s))] += 1

    while not stop.is_set():
        in_flight.acquire(timeout=CALL_TIMEOUT_S)
        call = client.start("RunInstances", run(new_token()))
        started.append(call)
        call.on_end(in_flight.release)
        if len(started) == FLOOD_IN_FLIGHT:
            if not ends:
                told.put(None)
            count()
    while started:
        count()
    told.put(dict(ends))


class FloodTest(ServerCase):
    flags = (f"--max_calls_in_flight_per_tenant={FLOOD_SHARE}", "--log_level=warning")

    def quiet_latencies(self) -> list:
        """Of calls one after another, all of which succeed."""
        latencies_s = []
        for _ in range(QUIET_CALLS):
            begin = time.monotonic()
            reply = self.client.call("RunInstances", run(new_token()))
            latencies_s.append(time.monotonic() - begin)
            self.assertOutcome(reply, "executed")
        return latencies_s

    def test_a_tenant_that_floods_leaves_room_for_another(self):
        alone = self.quiet_latencies()
        spawned = multiprocessing.get_context("spawn")
        stop, told = spawned.Event(), spawned.Queue()
        flooder = spawned.Process(target=flood, args=(self.server.address, stop, told), daemon=True)
        flooder.start()
        self.addCleanup(flooder.kill)
        self.assertIsNone(told.get(timeout=CALL_TIMEOUT_S))  # The flood has begun.
        flooded = self.quiet_latencies()
        stop.set()
        ends = told.get(timeout=CALL_TIMEOUT_S)
        self.assertGreater(ends.pop("executed"), 0)
        ((reason, message, delays_s), refused), = ends.items()
        self.assertEqual((reason, delays_s), ("OVERLOADED", (0.2,)))
        self.assertIn(f"max_calls_in_flight_per_tenant is {FLOOD_SHARE}", message)
        self.assertGreater(refused, 0)
        print(f"a quiet tenant alone: {milliseconds(alone)}; beside {FLOOD_IN_FLIGHT} calls of another, of which "
              f"{FLOOD_SHARE} at a time are accepted: {milliseconds(flooded)}; "
              f"{statistics.median(flooded) / statistics.median(alone):.1f} times as long at the median")


if __name__ == "__main__":
    unittest.main()
