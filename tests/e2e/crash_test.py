"""kill -9 at random moments under load, again and again: what was acknowledged is there, and nothing is there twice
(C9, C14). And SIGTERM under load: running calls finish, and the server goes in peace.

HAPAX_SEED sets the random numbers, HAPAX_KILLS the number of kills."""

import collections
import concurrent.futures
import os
import random
import threading
import unittest

from case import ContractCase, eventually, keypair, new_token, pages, run
from client import Client
from harness import Server
from protos import resources_pb2

SEED = int(os.environ.get("HAPAX_SEED") or random.SystemRandom().randrange(2**32))
KILLS = int(os.environ.get("HAPAX_KILLS") or 10)
CALLERS = 8
# The longest time between the first acknowledgement after a start and the kill.
LOAD_S = 0.7
# What a call may come back with when its server was going or gone.
GONE = {"UNAVAILABLE"}


class Ledger:
    """What callers sent as one tenant, and the first reply that each token got. Thread-safe."""

    def __init__(self, tenant: str):
        self.tenant = tenant
        self.requests = {}  # By token: (method, request bytes).
        self.firsts = {}  # By token: the first reply.
        self.wrong = []
        self._tokens = []
        self._lock = threading.Lock()
        self.acknowledged = threading.Semaphore(0)

    def fresh(self, chance: random.Random) -> str:
        """A token that was never sent, with a request of its own."""
        token = new_token()
        if chance.random() < 0.2:
            # An effect whose token was forgotten would show: a second attempt finds the name taken.
            call = ("CreateKeypair", keypair(token, f"pair-{token}").SerializeToString())
        else:
            zone = chance.choice(["", "us-east-1a", "eu-west-1b"])
            call = ("RunInstances", run(token, zone=zone, min_count=chance.randint(1, 3)).SerializeToString())
        with self._lock:
            self.requests[token] = call
            self._tokens.append(token)
        return token

    def old(self, chance: random.Random) -> str:
        with self._lock:
            return chance.choice(self._tokens)

    def attempt(self, client: Client, token: str, gone=GONE) -> bool:
        """Sends a token's request and judges the reply. False if the server was gone."""
        known = self.firsts.get(token)
        reply = client.call(*self.requests[token])
        if not reply.ok:
            if reply.code.name not in gone:
                self.wrong.append(f"{token}: {reply}")
            return False
        with self._lock:
            first = self.firsts.setdefault(token, reply)
        if reply.raw != first.raw:
            self.wrong.append(f"{token}: two replies, {first.raw!r} and {reply.raw!r}")
        if reply.outcome not in (("replayed",) if known else ("executed", "replayed")):
            self.wrong.append(f"{token}: {'acknowledged' if known else 'not acknowledged'} before, and now {reply}")
        self.acknowledged.release()
        return True


class CrashCase(ContractCase):
    def setUp(self):
        self.server = Server("--simulated_boot_latency=100ms")
        self.addCleanup(self.server.close)
        self.ledgers = []

    def load(self, ledger: Ledger, chance: random.Random, answers: int, stop) -> None:
        """Callers that send fresh tokens and retry old ones until the server is gone; `stop` ends it after so many
        answers."""
        def caller(own: random.Random) -> None:
            client = Client(self.server, ledger.tenant)
            try:
                again = True
                while again:
                    retry = own.random() < 0.3 and ledger.requests
                    again = ledger.attempt(client, ledger.old(own) if retry else ledger.fresh(own))
            finally:
                client.close()

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            callers = [pool.submit(caller, random.Random(chance.random())) for _ in range(CALLERS)]
            try:
                for _ in range(answers):
                    self.assertTrue(ledger.acknowledged.acquire(timeout=30), "no call was answered for 30 s")
            finally:
                stop()
            for done in callers:
                done.result()
        self.ledgers.append(ledger)

    def send_again(self, ledger: Ledger, tokens) -> None:
        """Every one of the tokens succeeds, `replayed` with its first bytes if it was acknowledged."""
        tokens = list(tokens)

        def caller(part) -> None:
            client = Client(self.server, ledger.tenant)
            try:
                for token in part:
                    ledger.attempt(client, token, gone=())
            finally:
                client.close()

        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            for done in [pool.submit(caller, tokens[i::CALLERS]) for i in range(CALLERS)]:
                done.result()
        self.assertEqual(ledger.wrong, [])

    def assertOneEffectEach(self) -> None:
        """Instances and key pairs on the server are those that the ledgers' replies tell of, each once."""
        addresses = collections.Counter()
        for ledger in self.ledgers:
            launched, made = {}, set()
            for token, (method, _) in ledger.requests.items():
                reply = ledger.firsts[token].parsed
                if method == "RunInstances":
                    launched |= {i.instance_id: (token, i.reservation_id) for i in reply.instances}
                else:
                    made.add((reply.key_name, reply.key_pair_id, reply.key_fingerprint))
            client = Client(self.server, ledger.tenant)
            self.addCleanup(client.close)
            instances = pages(client, "DescribeInstances", "instances", page_size=250)
            reservations = collections.defaultdict(set)
            for instance in instances:
                reservations[instance.client_token].add(instance.reservation_id)
                addresses[instance.subnet_id, instance.private_ip_address] += 1
            self.assertEqual({token: ids for token, ids in reservations.items() if len(ids) != 1}, {})
            self.assertEqual(len(instances), len({i.instance_id for i in instances}))
            self.assertEqual({i.instance_id: (i.client_token, i.reservation_id) for i in instances}, launched)
            pairs = pages(client, "DescribeKeypairs", "key_pairs")
            self.assertEqual({(p.key_name, p.key_pair_id, p.key_fingerprint) for p in pairs}, made)
        self.assertEqual({address: n for address, n in addresses.items() if n != 1}, {})

    def assertAllComeUp(self) -> None:
        for ledger in self.ledgers:
            client = Client(self.server, ledger.tenant)
            self.addCleanup(client.close)
            eventually(lambda: {i.state for i in pages(client, "DescribeInstances", "instances", page_size=1000)}
                       <= {resources_pb2.INSTANCE_STATE_RUNNING}, "every instance RUNNING")


class CrashTest(CrashCase):
    def test_C9_C14_kill_minus_9_under_load(self):
        print(f"HAPAX_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        unanswered = 0
        for kill in range(KILLS):
            self.server.start()
            for ledger in self.ledgers:
                self.send_again(ledger, ledger.firsts)
            load_s = chance.uniform(0, LOAD_S)

            def stop(moment=threading.Event()):
                moment.wait(load_s)  # Nothing sets it: the moment itself is what is random.
                self.server.kill()

            ledger = Ledger(f"tenant-{kill}")
            self.load(ledger, chance, 1, stop)
            self.assertEqual(ledger.wrong, [])
            unanswered += len(ledger.requests) - len(ledger.firsts)
        self.assertGreater(unanswered, 0, "no kill caught a call under way")

        self.server.start()
        for ledger in self.ledgers:
            self.send_again(ledger, ledger.requests)
            self.assertEqual(set(ledger.firsts), set(ledger.requests))
            self.send_again(ledger, ledger.requests)
        self.assertOneEffectEach()
        self.assertAllComeUp()
        self.assertOneEffectEach()
        self.server.stop()


class DrainTest(CrashCase):
    def test_C14_sigterm_lets_running_calls_finish(self):
        chance = random.Random(SEED + 1)
        for round_ in range(4):
            self.server.start()
            ledger = Ledger(f"drained-{round_}")
            self.load(ledger, chance, chance.randint(1, 300), self.server.stop)
            self.assertEqual(ledger.wrong, [])
        self.server.start()
        for ledger in self.ledgers:
            self.send_again(ledger, ledger.firsts)
            self.send_again(ledger, ledger.requests)
        self.assertOneEffectEach()
        self.assertAllComeUp()
        self.server.stop()

    def test_C14_sigterm_with_nobody_calling(self):
        self.server.start()
        self.server.stop()


if __name__ == "__main__":
    unittest.main()
