"""What the contract lets become of one client token: the sequential specification that histories are held to.

    free --execute--> executed --retention--> expired --tombstone--> free
      `----abandon--> abandoned

A token that says when it was made is refused by its age from its retention on, whatever is remembered (C17)."""

import dataclasses
import itertools

from history import NEVER_NS, Key, Operation, Policy

# By how much the server's clock, which is another than the history's, may have drifted from it.
SLACK_NS = 50_000_000
# Refusals that tell nothing of the token: the server says that it did nothing (C18, C19, C27).
NEVER_EXECUTED = ("TOKEN_STORE_UNAVAILABLE", "OVERLOADED", "DEADLINE_EXCEEDED", "CANCELLED")
FREE, EXECUTED, ABANDONED = "free", "executed", "abandoned"
# By method: the kind of its effect.
KINDS = {"RunInstances": "instances", "AllocateHosts": "hosts", "CreateKeypair": "key pairs",
         "TerminateInstances": "terminations", "ReleaseHosts": "releases", "DeleteKeypair": "deletions",
         "StopInstance": "operations", "StartInstance": "operations"}
ALL_KINDS = tuple(dict.fromkeys(KINDS.values()))


@dataclasses.dataclass(frozen=True)
class Execution:
    """One effect of the token. What nobody has been told of yet is None."""

    parameters: str
    ids: tuple = None
    reply: str = None
    ended: str = ""  # As Effect.ended; what has ended has ended for good (C24).


@dataclasses.dataclass(frozen=True)
class State:
    """`executions`, in their order; the last is what is on record when `status` is EXECUTED, and its clock read
    something from `after_ns` to `until_ns`."""

    status: str = FREE
    executions: tuple = ()
    after_ns: int = 0
    until_ns: int = 0


class TokenModel:
    """step() takes one operation at a time, as if there were no other at once."""

    def __init__(self, policy: Policy, key: Key):
        self._retention_ns = policy.retention_ns
        self._forgotten_ns = policy.retention_ns + policy.tombstone_ns
        self._made_ns = key.made_ns
        self._clock_jumps = policy.clock_jumps
        self._behind_ns = SLACK_NS + policy.skew_ns
        self._first_answer = "executed" if key.token else "unprotected"

    def step(self, state: State, operation: Operation, until_ns: int) -> list:
        """The states that `operation` may leave behind, if it takes place between its invocation and `until_ns`; none
        if its answer cannot be. Of an unknown answer: those in which it took effect."""
        found = _Finding(state, operation.invoked_ns - self._behind_ns, until_ns + SLACK_NS, self._retention_ns,
                         self._forgotten_ns, self._made_ns, self._clock_jumps)
        if operation.answer == "refused" and operation.reason in NEVER_EXECUTED:
            return [state]
        return getattr(self, "_" + operation.action)(found, operation)

    def _execute(self, found, operation: Operation) -> list:
        if operation.answer == "refused":
            return self._refused(found, operation)
        after = []
        if operation.answer in ("replayed", "succeeded"):
            after += self._replayed(found, operation)
        if operation.answer in (self._first_answer, "succeeded", "unknown") and not operation.flaw:
            after += self._executed(found, operation)
        return after

    def _replayed(self, found, operation: Operation) -> list:
        return [told for state in found.live() if state.executions[-1].parameters == operation.parameters
                and (told := _told(state, operation.reply, operation.effects))]

    def _executed(self, found, operation: Operation) -> list:
        after = []
        for state in found.free():
            if operation.again and _made_before(state.executions, operation.parameters):
                continue
            executed = State(EXECUTED, (*state.executions, Execution(operation.parameters)), found.after_ns,
                             found.until_ns)
            if operation.answer != "unknown":
                executed = _told(executed, operation.reply, operation.effects)
            if executed:
                after.append(executed)
        return after

    def _refused(self, found, operation: Operation) -> list:
        reason = operation.reason
        if reason == "IDEMPOTENT_PARAMETER_MISMATCH":
            return [state for state in found.live() if state.executions[-1].parameters != operation.parameters]
        if reason == "CLIENT_TOKEN_EXPIRED":
            return found.expired()
        if reason == "CLIENT_TOKEN_ABANDONED":
            return found.abandoned()
        if reason == operation.again:
            return [state for state in found.free() if _made_before(state.executions, operation.parameters)]
        return found.free() if reason in (operation.flaw, operation.at_times) else []

    def _abandon(self, found, operation: Operation) -> list:
        if operation.answer in ("ABANDONED", "unknown"):
            fenced = [dataclasses.replace(state, status=ABANDONED) for state in found.free()]
            return fenced + (found.abandoned() if operation.answer == "ABANDONED" else [])
        return [] if operation.answer == "FREE" else self._get(found, operation)

    def _get(self, found, operation: Operation) -> list:
        if operation.answer == "EXECUTED":
            return [told for state in found.live() if (told := _told(state, operation.reply))]
        readings = {"FREE": found.free, "EXPIRED": found.expired, "ABANDONED": found.abandoned}
        return readings[operation.answer]() if operation.answer in readings else []

    def _list(self, found, operation: Operation) -> list:
        """Every execution of these kinds is listed, and nothing else is. What is terminated once more is as it was
        (C23)."""
        executions = found.state.executions
        wanted = [i for i, execution in enumerate(executions) if kind_of(execution.parameters) in operation.kinds
                  and not (kind_of(execution.parameters) == "terminations"
                           and _made_before(executions[:i], execution.parameters))]
        known = [i for i in wanted if executions[i].ids is not None]
        unknown = [i for i in wanted if executions[i].ids is None]
        made = {executions[i].ids for i in known}
        others = [effect for effect in operation.effects if effect.ids not in made]
        if operation.answer != "listed" or len(operation.effects) != len(wanted) or len(others) != len(unknown):
            return []
        by_ids = {effect.ids: effect for effect in operation.effects}
        after = set()
        for effects in itertools.permutations(others):
            pairs = [(i, by_ids[executions[i].ids]) for i in known] + list(zip(unknown, effects))
            told = list(executions)
            for i, effect in pairs:
                told[i] = _bound(executions[i], effect)
            if all(told):
                after.add(dataclasses.replace(found.state, executions=tuple(told)))
        return list(after)


class _Finding:
    """What an operation may find, whose clock reads something from `after_ns` to `until_ns`. Each method gives the
    state, with what the finding says about when the token was executed; nothing if it cannot be found so."""

    def __init__(self, state, after_ns, until_ns, retention_ns, forgotten_ns, made_ns, clock_jumps):
        self.state = state
        self.after_ns, self.until_ns = after_ns, until_ns
        self._retention_ns, self._forgotten_ns = retention_ns, forgotten_ns
        self._made_ns = made_ns
        # What the server takes for the time may be behind, and is never ahead: so nothing is sure to have ended.
        self._least_ns = -NEVER_NS if clock_jumps else after_ns

    def _executed(self, after_ns=0, until_ns=None) -> list:
        """An execution later than one time and not later than another."""
        after_ns = max(self.state.after_ns, after_ns)
        until_ns = self.state.until_ns if until_ns is None else min(self.state.until_ns, until_ns)
        if self.state.status != EXECUTED or after_ns > until_ns:
            return []
        return [dataclasses.replace(self.state, after_ns=after_ns, until_ns=until_ns)]

    @property
    def _may_be_too_old(self) -> bool:
        return self._made_ns is not None and self.until_ns >= self._made_ns + self._retention_ns

    def live(self) -> list:
        return self._executed(after_ns=self._least_ns - self._retention_ns)

    def expired(self) -> list:
        if self._may_be_too_old and self.state.status != EXECUTED:
            return [self.state]
        remembered_ns = 0 if self._made_ns is not None else self._least_ns - self._forgotten_ns
        return self._executed(remembered_ns, self.until_ns - self._retention_ns)

    def free(self) -> list:
        if self._made_ns is not None:
            too_old = self._least_ns > self._made_ns + self._retention_ns
            return [self.state] if self.state.status == FREE and not too_old else []
        if self.state.status == FREE:
            return [self.state]
        return self._executed(until_ns=self.until_ns - self._forgotten_ns)

    def abandoned(self) -> list:
        return [self.state] if self.state.status == ABANDONED else []


def kind_of(parameters: str) -> str:
    """Of the effect of a call: parameters begin with its method."""
    return KINDS[parameters.split()[0]]


def _made_before(executions: tuple, parameters: str) -> bool:
    return any(execution.parameters == parameters for execution in executions)


def _told(state: State, reply: str, effects=()):
    """The state once somebody has got this reply to its last execution; None if the reply is not that execution's."""
    last = state.executions[-1]
    if last.reply not in (None, reply):
        return None
    last = dataclasses.replace(last, reply=reply)
    for effect in effects:
        last = last and _bound(last, effect)
    return last and dataclasses.replace(state, executions=(*state.executions[:-1], last))


def _bound(execution: Execution, effect):
    """The execution, known to have made this effect; None if it did not."""
    if execution.ids not in (None, effect.ids) or effect.parameters not in (None, execution.parameters):
        return None
    if execution.ended not in ("", effect.ended):
        return None
    return dataclasses.replace(execution, ids=effect.ids, ended=effect.ended)
