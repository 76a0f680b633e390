"""Calls that change what another key made: they release, delete, terminate, stop or start it."""

import collections
import dataclasses
import itertools
from typing import Callable, Optional

from case import delete_keypair, release, terminate
from history import Effect, History, Key, Operation
from protos import compute_pb2

# What becomes of a launch's instances, by turns. Only the first of them is stopped and started.
LIVES = (("StopInstance", "StartInstance"), ("TerminateInstances",),
         ("StopInstance", "StartInstance", "TerminateInstances"))
# A retention that no history outlasts.
LONG_NS = 3600 * 10**9


@dataclasses.dataclass(frozen=True)
class Method:
    """One that changes something. `again` and `at_times` are Operation's."""

    request: Callable  # Makes one of names, and a region by keyword.
    nothing: str  # A name of nothing.
    not_found: str  # The reason that tells so.
    again: str = ""
    at_times: str = ""


def _delete(name: str, region: str):
    return delete_keypair(name=name, region=region)


def _stop(name: str, region: str):
    return compute_pb2.StopInstanceRequest(instance_id=name, region=region)


def _start(name: str, region: str):
    return compute_pb2.StartInstanceRequest(instance_id=name, region=region)


METHODS = {
    "ReleaseHosts": Method(release, "h-none", "HOST_NOT_FOUND", again="HOST_NOT_FOUND"),
    "DeleteKeypair": Method(_delete, "none", "KEYPAIR_NOT_FOUND", again="KEYPAIR_NOT_FOUND"),
    "TerminateInstances": Method(terminate, "i-none", "INSTANCE_NOT_FOUND"),
    "StopInstance": Method(_stop, "i-none", "INSTANCE_NOT_FOUND", at_times="INCORRECT_INSTANCE_STATE"),
    "StartInstance": Method(_start, "i-none", "INSTANCE_NOT_FOUND", at_times="INCORRECT_INSTANCE_STATE"),
}


@dataclasses.dataclass(frozen=True)
class Change:
    """A call that changes something. `ids` are what its reply or effect shows, `names` what its request says."""

    method: str
    tenant: str
    region: str
    ids: tuple
    names: tuple

    @property
    def text(self) -> str:
        return change_text(self.method, self.ids)


def change_text(method: str, ids) -> str:
    return " ".join((method, *ids))


class Changes:
    """What there is to do to what a history says was made; each is told once, and what is seldom first. Not
    thread-safe."""

    def __init__(self, history: History):
        self._history = history
        self._read = 0  # Operations.
        self._known = set()
        self._lives = itertools.cycle(LIVES)
        self._of_instances = collections.deque()
        self._of_others = collections.deque()

    def next(self) -> Optional[Change]:
        """None if there is nothing to change now."""
        operations = self._history.operations[self._read:]
        self._read += len(operations)
        for operation in operations:
            for effect in operation.effects if operation.action == "execute" else ():
                if effect.ids not in self._known and _answers(effect, operation):
                    self._known.add(effect.ids)
                    self._add(operation.parameters.split()[0], effect)
        left = self._of_others or self._of_instances
        return left.popleft() if left else None

    def _add(self, maker: str, made: Effect) -> None:
        key = self._history.keys[made.key]
        if maker == "RunInstances":
            _, *instances = made.ids
            for method in next(self._lives):
                ids = tuple(instances if method == "TerminateInstances" else instances[:1])
                self._of_instances.append(Change(method, key.tenant, key.region, ids, ids))
        elif maker == "AllocateHosts":
            self._of_others.append(Change("ReleaseHosts", key.tenant, key.region, made.ids, made.ids))
        elif maker == "CreateKeypair" and self._executes_once(key):
            self._of_others.append(Change("DeleteKeypair", key.tenant, key.region, made.ids, (key.name,)))

    def _executes_once(self, key: Key) -> bool:
        """A pair that is made again has the same name: the key that deletes it would delete both."""
        return not key.token or key.made_ns is not None or self._history.policy.retention_ns > LONG_NS


def _answers(effect: Effect, operation: Operation) -> bool:
    """Whether the effect is one of this call: the checker refuses what is not, and it is of no further use."""
    return bool(effect.ids) and effect.key == operation.key and effect.parameters in (None, operation.parameters)
