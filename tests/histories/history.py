"""A history: what clients saw of a server, one JSON object a line.

    {"policy": {...}}       For how long the server kept tokens; once.
    {"key": {...}}          A client token in its scope, or one call without a token.
    {"operation": {...}}    A call, with when it was sent and when its answer was there.
    {"kill": 12345}         When a server had been killed.
    {"settled": 12345}      From when on no call of an unknown answer was still to come; the last line.

All times are nanoseconds of one monotonic clock. A reply is the digest of its type and its bytes: what counts is
whether two are the same. One that changes with time, a long-running operation (C24), is that operation's name."""

import dataclasses
import itertools
import json
import threading

NEVER_NS = 2**62


@dataclasses.dataclass(frozen=True)
class Policy:
    """How long a token's reply is kept, and how long after that it is still refused (C17)."""

    retention_ns: int
    tombstone_ns: int
    # Whether the server's wall clock is wrong at times: then tokens may be kept for longer, and never for less (C29).
    clock_jumps: bool = False
    # Whether a call that was told TOKEN_STORE_UNAVAILABLE may take effect while the server lives, as with an engine over
    # a network.
    late_commits: bool = False
    # By how much the clock of a server may be behind those of others that it shares a store with: by so much may tokens
    # that it executes be kept for less.
    skew_ns: int = 0


@dataclasses.dataclass(frozen=True)
class Key:
    """What an effect is named by (C4 to C6); `name` is what it is called within the history.

    `token` is empty for a call without one. `made_ns` is when the token says that it was made, if it does. `change` is
    what it does to what another key made, in the form of Effect.parameters; nobody else does that."""

    name: str
    tenant: str
    region: str
    zone: str
    token: str
    made_ns: int = None
    change: str = ""


@dataclasses.dataclass(frozen=True)
class Effect:
    """What one execution made: `ids` of instances, hosts, a key pair or a long-running operation, or its change, if
    it made nothing new. `parameters` are those that it shows, None if it shows none. `ended` is the digest of an
    operation once it is done."""

    key: str
    ids: tuple
    parameters: str = None
    ended: str = ""


@dataclasses.dataclass(frozen=True)
class Operation:
    """One call and its answer.

    action      answer
    execute     executed, replayed, unprotected, succeeded (with `reply` and `effects`, one), refused, unknown
    abandon     FREE, EXECUTED (with `reply`), EXPIRED, ABANDONED, refused, unknown
    get         the same
    list        listed (with `effects`), refused, unknown: of `tenant`, those of `token`, or all if it is empty. All,
                with `states`, are what there was when nothing was on its way any more

    succeeded is one of the three before it; the client does not know which. refused is an error of the server's, for
    `reason`. unknown is any other: the call may have been made, or not, or be still to come."""

    number: int
    action: str
    invoked_ns: int
    returned_ns: int
    answer: str
    key: str = ""
    parameters: str = ""  # Of execute, in the form of Effect.parameters.
    flaw: str = ""  # The reason to refuse these parameters when they are executed; empty if there is none.
    again: str = ""  # The reason to refuse a second execution of these parameters; empty if there is none.
    at_times: str = ""  # A reason to refuse them that depends on what others did.
    reply: str = ""
    reason: str = ""
    effects: tuple = ()
    tenant: str = ""  # Of list.
    token: str = ""
    kinds: tuple = ()  # What was listed.
    states: tuple = ()  # Pairs of an instance and its state; and of a long-running operation and the one it came to.


class History:
    """Collects a history. Thread-safe."""

    def __init__(self, policy: Policy):
        self.policy = policy
        self.keys = {}
        self.operations = []
        self.kills = []
        self.settled_ns = NEVER_NS
        self.numbers = itertools.count(1)  # For operations.
        self._grown = threading.Condition()

    def add_key(self, key: Key) -> Key:
        with self._grown:
            self.keys[key.name] = key
        return key

    def add(self, operation: Operation) -> None:
        with self._grown:
            self.operations.append(operation)
            self._grown.notify_all()

    def await_more(self, count: int, timeout_s: float) -> None:
        """Returns once so many operations more have ended."""
        with self._grown:
            wanted = len(self.operations) + count
            if not self._grown.wait_for(lambda: len(self.operations) >= wanted, timeout_s):
                raise AssertionError(f"not {count} operations more within {timeout_s} s")

    def write(self, path) -> None:
        with open(path, "w", encoding="utf-8") as out:
            for kind, things in (("policy", [self.policy]), ("key", self.keys.values()), ("kill", self.kills),
                                 ("operation", self.operations), ("settled", [self.settled_ns])):
                for thing in things:
                    out.write(json.dumps({kind: thing if isinstance(thing, int) else dataclasses.asdict(thing)}) + "\n")

    @classmethod
    def read(cls, path) -> "History":
        history = cls(None)
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                ((kind, thing),) = json.loads(line).items()
                if kind == "policy":
                    history.policy = Policy(**thing)
                elif kind == "key":
                    history.add_key(Key(**thing))
                elif kind == "kill":
                    history.kills.append(thing)
                elif kind == "settled":
                    history.settled_ns = thing
                else:
                    history.add(_operation(thing))
        return history


def _operation(fields: dict) -> Operation:
    effects = tuple(Effect(**{**effect, "ids": tuple(effect["ids"])}) for effect in fields["effects"])
    states = tuple(map(tuple, fields["states"]))
    return Operation(**{**fields, "effects": effects, "kinds": tuple(fields["kinds"]), "states": states})
