"""Whether a history is explained by section 4 of the contract. Tokens do not depend on one another, so each is held to
its model alone; besides, nothing of one may show up with another, and instances are to be in the state that follows
from all that was done to them.

    checker.py FILE     checks a history that was kept"""

import collections
import dataclasses
import sys

import power
from history import History
from linearize import linearize
from removals import Removals
from token_model import TokenModel


@dataclasses.dataclass(frozen=True)
class Violation:
    """`kind` is "no order", "shared reply", "shared effect", "stray effect", "answer of another key" or "wrong state";
    of the last, `key` is an instance."""

    kind: str
    key: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.key}: {self.text}"


def check(history: History) -> list:
    """All violations; none if the history is explained."""
    violations = _leaks(history)
    violations += [Violation("wrong state", instance, text) for instance, text in power.unexplained(history)]
    for name, operations in _by_key(history).items():
        key = history.keys[name]
        stuck = linearize(TokenModel(history.policy, key), operations)
        if stuck:
            lines = [f"{key}", f"in an order so far, to {stuck.state}:", *map(_line, stuck.order),
                     "none of these can come next:", *map(_line, stuck.rest)]
            violations.append(Violation("no order", name, "\n    ".join(lines)))
    return violations


def _by_key(history: History) -> dict:
    """The operations on each key; a list is one on every key that it is about. What tells nothing is left out."""
    found = collections.defaultdict(list)
    removals = Removals(history)
    by_tenant = collections.defaultdict(list)
    for key in history.keys.values():
        by_tenant[key.tenant].append(key)
    for operation in history.operations:
        operation = _as_far_as_it_is_known(operation, history)
        if operation is None:
            continue
        if operation.action != "list":
            found[operation.key].append(operation)
            continue
        effects = collections.defaultdict(list)
        for effect in (*operation.effects, *removals.effects_in(operation)):
            effects[effect.key].append(effect)
        for key in by_tenant[operation.tenant]:
            if operation.token in ("", key.token):
                found[key.name].append(dataclasses.replace(operation, key=key.name, effects=tuple(effects[key.name])))
    return found


def _as_far_as_it_is_known(operation, history: History):
    """What the operation may have done; None if it may be left out.

    A write that failed is nowhere to be seen as long as the process lives, but the next one may find it in the log:
    TOKEN_STORE_UNAVAILABLE is an effect that begins, if it does, with a kill. With late commits it may begin at once."""
    if history.policy.late_commits and operation.reason == "TOKEN_STORE_UNAVAILABLE":
        operation = dataclasses.replace(operation, answer="unknown")
    if operation.answer == "refused" and operation.reason == "TOKEN_STORE_UNAVAILABLE":
        kill = min((ns for ns in history.kills if ns >= operation.invoked_ns), default=None)
        if kill is None:
            return None
        operation = dataclasses.replace(operation, answer="unknown", invoked_ns=kill)
    if operation.answer != "unknown":
        return operation
    without_effect = operation.action in ("get", "list") or operation.flaw
    return None if without_effect else dataclasses.replace(operation, returned_ns=history.settled_ns)


def _leaks(history: History) -> list:
    """What belongs to one key and shows up with another, or to a tenant and shows up with another, or to nobody."""
    violations = []
    owners = {"reply": {}, "effect": {}}

    def belongs(what: str, thing: str, key: str) -> None:
        owner = owners[what].setdefault(thing, key)
        if owner != key:
            violations.append(Violation(f"shared {what}", key, f"{thing} is of {owner}, too"))

    for operation in history.operations:
        if operation.reply:
            belongs("reply", operation.reply, operation.key)
        for effect in operation.effects:
            key = history.keys.get(effect.key)
            if operation.action == "list":
                if key is None or key.tenant != operation.tenant or operation.token not in ("", key.token):
                    violations.append(Violation("stray effect", effect.key, f"in {_line(operation)}"))
            elif effect.key != operation.key:
                violations.append(Violation("answer of another key", operation.key, f"{effect}"))
            for its_id in effect.ids:
                belongs("effect", its_id, effect.key)
    return violations


def _line(operation) -> str:
    """An operation, without what is not set."""
    shown = {k: v for k, v in dataclasses.asdict(operation).items() if v not in ("", (), False, None)}
    return " ".join(f"{k}={v}" for k, v in shown.items())


def main() -> int:
    violations = check(History.read(sys.argv[1]))
    print(*violations, f"{len(violations)} violations", sep="\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
