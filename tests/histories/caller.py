"""A client that calls at random, and writes down what it was told."""

import random
import threading
import time

from case import tokens_pb2
from client import TOKENS, Client
from history import History, Operation
from observed import answer_about_token, answer_of_execution, answer_of_error, instances_of
from plans import Attempt, Plan
from protos import compute_pb2
from stock import stock_of
from token_model import ALL_KINDS

PATIENCE_S = 20
# A deadline that passes before, in or after the execution.
SHORT_S = (0.0005, 0.03)


class Recorder:
    """Makes calls as one client, and adds them to a history. Not thread-safe."""

    def __init__(self, history: History, endpoint):
        self._history = history
        self._endpoint = endpoint
        self._clients = {}

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def client(self, tenant: str) -> Client:
        if tenant not in self._clients:
            self._clients[tenant] = Client(self._endpoint, tenant)
        return self._clients[tenant]

    def execute(self, plan: Plan, attempt: Attempt, copies=1, timeout_s=PATIENCE_S, in_header=False,
                cancel=False) -> bool:
        """Sends an attempt, `copies` times at once, and awaits all answers. False if the server was not there
        for one."""
        key = plan.key
        request = attempt.request
        metadata = (("x-client-token", key.token),) if in_header else ()
        if not in_header:
            request = type(request).FromString(request.SerializeToString())
            request.client_token = key.token
        client = self.client(key.tenant)
        sent = [(time.monotonic_ns(), client.start(attempt.method, request, metadata, timeout_s))
                for _ in range(copies)]
        known = True
        for invoked_ns, pending in sent:
            if cancel:
                pending.cancel()
            answer = answer_of_execution(pending.reply(), key, attempt.method, timeout_s < PATIENCE_S)
            self._add("execute", invoked_ns, answer, key=key.name, parameters=attempt.parameters, flaw=attempt.flaw,
                      again=attempt.again, at_times=attempt.at_times)
            known = known and _is_answered(answer)
        return self._still_connected(known)

    def ask(self, action: str, plan: Plan) -> bool:
        """GetToken or AbandonToken."""
        key = plan.key
        method, request = {"get": ("GetToken", tokens_pb2.GetTokenRequest),
                           "abandon": ("AbandonToken", tokens_pb2.AbandonTokenRequest)}[action]
        invoked_ns = time.monotonic_ns()
        reply = self.client(key.tenant).call(TOKENS + method, request(
            client_token=key.token, region=key.region, availability_zone=key.zone), timeout=PATIENCE_S)
        answer = answer_about_token(reply)
        self._add(action, invoked_ns, answer, key=key.name)
        return self._still_connected(_is_answered(answer))

    def describe(self, plan: Plan) -> bool:
        """The instances of the plan's token."""
        key = plan.key
        invoked_ns = time.monotonic_ns()
        reply = self.client(key.tenant).call("DescribeInstances", compute_pb2.DescribeInstancesRequest(
            client_token=key.token, page_size=1000), timeout=PATIENCE_S)
        if reply.ok:
            effects = instances_of(self._history.keys, key.tenant, reply.parsed.instances)
            answer = {"answer": "listed", "effects": tuple(effects)}
        else:
            answer = answer_of_error(reply)
        self._add("list", invoked_ns, answer, tenant=key.tenant, token=key.token, kinds=("instances",))
        return self._still_connected(_is_answered(answer))

    def take_stock(self, tenant: str) -> int:
        """Adds all that there is of a tenant, once nothing is on its way; returns how many effects that is."""
        invoked_ns = time.monotonic_ns()
        stock = stock_of(self.client(tenant), tenant, self._history.keys)
        self._add("list", invoked_ns, {"answer": "listed", "effects": stock.effects}, tenant=tenant,
                  kinds=ALL_KINDS, states=stock.states)
        return len(stock.effects)

    def _add(self, action: str, invoked_ns: int, answer: dict, **fields) -> None:
        returned_ns = time.monotonic_ns()
        self._history.add(Operation(next(self._history.numbers), action, invoked_ns, returned_ns, **answer, **fields))

    def _still_connected(self, known: bool) -> bool:
        """After a failure, connections are made anew: gRPC would wait with that, ever longer."""
        if not known:
            self.close()
        return known


def _is_answered(answer: dict) -> bool:
    """Whether the server is there, and at work."""
    return answer["answer"] != "unknown" and answer.get("reason") != "TOKEN_STORE_UNAVAILABLE"


class Caller:
    """Sends random calls, on plans that several callers share, until it is told to stop."""

    def __init__(self, recorder: Recorder, board, up: threading.Event, chance: random.Random):
        self._recorder = recorder
        self._board = board
        self._up = up
        self._chance = chance

    def run(self, stopped: threading.Event) -> None:
        try:
            while not stopped.is_set():
                if not self._call():
                    self._up.wait(PATIENCE_S)
        finally:
            self._recorder.close()

    def _call(self) -> bool:
        chance = self._chance
        plan = self._board.draw(chance)
        if not plan.key.token:
            return self._recorder.execute(plan, plan.attempts[0])
        action = chance.random()
        if action < 0.06:
            return self._recorder.ask("abandon", plan)
        if action < 0.2:
            return self._recorder.ask("get", plan)
        if action < 0.3:
            return self._recorder.describe(plan)
        attempt = plan.attempts[0] if chance.random() < 0.75 else chance.choice(plan.attempts)
        return self._recorder.execute(
            plan, attempt, copies=chance.choice((1, 1, 1, 1, 2, 3)), in_header=chance.random() < 0.15,
            timeout_s=chance.uniform(*SHORT_S) if chance.random() < 0.1 else PATIENCE_S, cancel=chance.random() < 0.05)
