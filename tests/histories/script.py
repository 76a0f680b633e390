"""Histories that are written by hand. In them a number is a time in seconds, and the policy a retention of 100 s and a
tombstone of 50 s."""

import unittest

from checker import check
from history import Effect, History, Key, Operation, Policy
from token_model import ALL_KINDS

SECOND_NS = 10**9
A, B, CREATE = "RunInstances a", "RunInstances b", "CreateKeypair c"
UNAVAILABLE = "TOKEN_STORE_UNAVAILABLE"


class Script:
    """A history, written by hand. Calls are `(first second, last second, ...)`."""

    def __init__(self, clock_jumps=False, skew=0):
        self.history = History(Policy(100 * SECOND_NS, 50 * SECOND_NS, clock_jumps, skew_ns=skew * SECOND_NS))
        self.key("k")

    def key(self, name: str, tenant="t", token="token", zone="", made=None, change="") -> "Script":
        made_ns = None if made is None else made * SECOND_NS
        self.history.add_key(Key(name, tenant, "r", zone, token, made_ns, change))
        return self

    def kill(self, when: float) -> "Script":
        self.history.kills.append(int(when * SECOND_NS))
        return self

    def settled(self, when: float) -> "Script":
        self.history.settled_ns = int(when * SECOND_NS)
        return self

    def add(self, first: float, last: float, action: str, answer: str, **fields) -> "Script":
        self.history.add(Operation(len(self.history.operations), action, int(first * SECOND_NS), int(last * SECOND_NS),
                                   answer, **fields))
        return self

    def call(self, first, last, answer, parameters=A, made="1", key="k", reply=None, shows=None, **fields) -> "Script":
        """`made` tells one effect, and its reply, from another."""
        if answer in ("executed", "replayed", "unprotected", "succeeded"):
            fields["reply"] = f"reply {made}" if reply is None else reply
            fields["effects"] = (effect(made, key, shows),)
        elif answer not in ("unknown", "no outcome"):
            answer, fields["reason"] = "refused", answer
        return self.add(first, last, "execute", answer, key=key, parameters=parameters,
                        again="KEYPAIR_ALREADY_EXISTS" if parameters == CREATE else "", **fields)

    def abandon(self, first, last, answer, key="k", **fields) -> "Script":
        return self.add(first, last, "abandon", answer, key=key, **fields)

    def get(self, first, last, answer, key="k", **fields) -> "Script":
        return self.add(first, last, "get", answer, key=key, **fields)

    def list(self, first, last, *effects, tenant="t", token="", kinds=ALL_KINDS, **fields) -> "Script":
        return self.add(first, last, "list", "listed", tenant=tenant, token=token, kinds=kinds, effects=effects,
                        **fields)


def effect(made="1", key="k", shows=None) -> Effect:
    return Effect(key, (f"i-{made}",), shows)


def listed(made="1", key="k", parameters=A) -> Effect:
    return effect(made, key, parameters)


class CheckerCase(unittest.TestCase):
    def assertAccepted(self, script: Script) -> None:
        self.assertEqual([str(violation) for violation in check(script.history)], [])

    def assertRefused(self, script: Script, kind="no order") -> None:
        self.assertIn(kind, [violation.kind for violation in check(script.history)])
