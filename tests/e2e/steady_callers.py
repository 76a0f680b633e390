"""Callers that go on while servers are stopped and started: each call is sent again with its token, to one server after
the other, until it is answered."""

import collections
import dataclasses
import random
import threading

from google.protobuf.message import Message

from case import eventually, hosts, keypair, new_token, run, terminate
from client import Client, Reply
from operations_test import stop

# The pause of a caller after each call, and before it sends one again.
PAUSE_S = 0.04
# The attempts at one call; with their pauses more than a server takes to start.
MAX_ATTEMPTS = 2_000
# The reasons for which a client sends a call again. Each has verdict same-token.
RETRIED = ("TOKEN_STORE_UNAVAILABLE", "OVERLOADED", "INCORRECT_INSTANCE_STATE")
# The codes without a reason for which it does: nobody listened, or the connection was closed (docs/errors.md).
LOST = ("UNAVAILABLE", "CANCELLED")
# The instances that a caller has before it changes the first one, so that most have booted by then.
MIN_TO_CHANGE = 10
# Of 20 calls.
KINDS = ("launch",) * 9 + ("stop",) * 3 + ("terminate",) * 2 + ("key pair",) * 2 + ("host",) + ("again",) * 3


def is_retried(reply: Reply) -> bool:
    if reply.reason is None:
        return reply.code.name in LOST
    return reply.reason in RETRIED and reply.retry == "same-token"


def reordered(request: Message) -> bytes:
    """The same request as another client may encode it: with its fields the other way round."""
    fields = [field.name for field, _ in request.ListFields()]
    encoded = []
    for name in reversed(fields):
        alone = type(request)()
        alone.CopyFrom(request)
        for other in fields:
            if other != name:
                alone.ClearField(other)
        encoded.append(alone.SerializeToString())
    return b"".join(encoded)


@dataclasses.dataclass(frozen=True)
class Answered:
    """A call that was acknowledged, and the bytes of its first answer."""

    tenant: str
    method: str
    request: Message
    raw: bytes
    reply: Message

    @property
    def has_operation(self) -> bool:
        """Its replays have the operation as it is by then."""
        return self.method == "StopInstance"

    def wrong(self, reply: Reply) -> str:
        """How this answer is not a replay of the call; empty: it is one."""
        if not reply.ok or reply.outcome != "replayed":
            return f"{self.method} of {self.tenant}, token {self.request.client_token}: {reply}"
        if self.has_operation:
            same = reply.parsed.name == self.reply.name
        else:
            same = reply.raw == self.raw
        return "" if same else f"{self.method} of {self.tenant}, token {self.request.client_token}: other bytes"


class Callers:
    """Threads that call the servers as a tenant each. `answered` has what was acknowledged, in that order, and
    `failed_attempts` how often which reason was retried."""

    def __init__(self, servers: list, count: int, seed: int):
        self.answered = []
        self.failed_attempts = collections.Counter()
        self.errors = []  # What no caller should meet.
        self._servers = servers
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(f"caller-{i}", random.Random(f"{seed}.{i}")))
                         for i in range(count)]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        """Each caller ends its call first."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def await_more(self, count: int) -> None:
        """Until so many more calls are acknowledged."""
        enough = len(self.answered) + count
        eventually(lambda: self.errors or len(self.answered) >= enough, f"{count} more calls")
        self.check()

    def check(self) -> None:
        if self.errors:
            raise AssertionError("\n".join(self.errors))

    def _run(self, tenant: str, chance: random.Random) -> None:
        caller = _Caller(self, tenant, chance, [Client(server, tenant) for server in self._servers])
        try:
            while not self._stopping.wait(PAUSE_S):
                caller.call_once()
        except AssertionError as error:
            self.errors.append(str(error))
        finally:
            caller.close()


class _Caller:
    """One of them, on its own thread."""

    def __init__(self, callers: Callers, tenant: str, chance: random.Random, clients: list):
        self._callers = callers
        self._tenant = tenant
        self._chance = chance
        self._clients = clients
        self._mine = []
        self._to_change = []  # Ids of instances that nobody has stopped or terminated.
        self._names = 0
        self._pause = threading.Event()  # Never set.

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def call_once(self) -> None:
        kind = self._chance.choice(KINDS)
        if kind == "again" and self._mine:
            self._repeat(self._chance.choice(self._mine))
        elif kind in ("stop", "terminate") and len(self._to_change) >= MIN_TO_CHANGE:
            instance_id = self._to_change.pop(0)
            if kind == "stop":
                self._call("StopInstance", stop(instance_id, new_token()))
            else:
                self._call("TerminateInstances", terminate(instance_id, token=new_token()))
        elif kind == "key pair":
            self._names += 1
            self._call("CreateKeypair", keypair(new_token(), f"pair-{self._names}"))
        elif kind == "host":
            self._call("AllocateHosts", hosts(new_token()))
        else:
            launched = self._call("RunInstances", run(new_token()))
            self._to_change += [instance.instance_id for instance in launched.instances]

    def _call(self, method: str, request: Message) -> Message:
        reply = self._until_answered(method, request)
        call = Answered(self._tenant, method, request, reply.raw, reply.parsed)
        self._mine.append(call)
        self._callers.answered.append(call)
        return call.reply

    def _repeat(self, call: Answered) -> None:
        if wrong := call.wrong(self._until_answered(call.method, call.request)):
            raise AssertionError(wrong)

    def _until_answered(self, method: str, request: Message) -> Reply:
        for _ in range(MAX_ATTEMPTS):
            reply = self._chance.choice(self._clients).call(method, request)
            if reply.ok:
                return reply
            if not is_retried(reply):
                raise AssertionError(f"{method} of {self._tenant}: {reply}")
            self._callers.failed_attempts[reply.reason or f"{reply.code.name} without a reason"] += 1
            self._pause.wait(PAUSE_S)
        raise AssertionError(f"{method} of {self._tenant} fails after {MAX_ATTEMPTS} attempts: {reply}")
