"""Whether stops and starts explain the state in which instances came to rest (C14, C24)."""

import collections
import itertools
from typing import Iterator

from history import History

# What is done to an instance, over and over, and the state that it comes to.
IN_TURN = (("StopInstance", "STOPPED"), ("StartInstance", "RUNNING"))


def unexplained(history: History) -> Iterator[tuple]:
    """Pairs of an instance and what is wrong with it."""
    terminated = {its_id for key in history.keys.values() if key.change.startswith("TerminateInstances ")
                  for its_id in key.change.split()[1:]}
    for listed in history.operations:
        states = dict(listed.states)
        ends = collections.defaultdict(list)  # By instance: its operations, by their names in their order.
        for effect in sorted(listed.effects, key=lambda effect: effect.ids):
            method, *about = (effect.parameters or "").split() or [""]
            for instance in about if method in dict(IN_TURN) else ():
                ends[instance].append((method, states.pop(effect.ids[0], "not done")))
        for instance, state in states.items():
            ordered = _in_turn(ends[instance]) if history.policy.clock_jumps else ends[instance]
            if not _is_explained(ordered, state, instance in terminated):
                yield instance, f"{state} after {ends[instance]}"


def _in_turn(ends: list) -> list:
    """Of a server whose clock is set, names tell no order: an order in which stops and starts alternate as far as they
    can, with what failed at the end."""
    by_method = [sorted((end for end in ends if end[0] == method), key=lambda end: end[1] == "FAILED")
                 for method, _ in IN_TURN]
    return [end for pair in itertools.zip_longest(*by_method) for end in pair if end is not None]


def _is_explained(ends: list, state: str, may_be_terminated: bool) -> bool:
    expected = [IN_TURN[i % 2] for i in range(len(ends))]
    if state != "TERMINATED":
        return ends == expected and state == (expected[-1][1] if expected else "RUNNING")
    overtaken = [*expected[:-1], *((method, "FAILED") for method, _ in expected[-1:])]
    return may_be_terminated and ends in (expected, overtaken)
