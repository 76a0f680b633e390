"""The checker on calls that change what another key made: releases, deletions, terminations, stops and starts."""

import unittest

from history import Effect
from script import UNAVAILABLE, CheckerCase, Script

RELEASE, DELETE, TERMINATE = "ReleaseHosts h-1 h-2", "DeleteKeypair key-1", "TerminateInstances i-1 i-2"
STOP, START = "StopInstance i-1", "StartInstance i-1"
MISMATCH, WRONG_STATE = "IDEMPOTENT_PARAMETER_MISMATCH", "INCORRECT_INSTANCE_STATE"
MADE = {"launch": Effect("launch", ("r-1", "i-1", "i-2"), "RunInstances 2"),
        "allocation": Effect("allocation", ("h-1", "h-2"), "AllocateHosts 2"),
        "pair": Effect("pair", ("key-1",), "CreateKeypair pair")}
AFTER = {"StopInstance": "STOPPED", "StartInstance": "RUNNING"}
AGAIN = {RELEASE: "HOST_NOT_FOUND", DELETE: "KEYPAIR_NOT_FOUND"}


class Changes(Script):
    """Begins with two instances, two hosts and a key pair, all there by second 1. Each change has a key of its own, of
    the same name."""

    def __init__(self, clock_jumps=False):
        super().__init__(clock_jumps)
        for name, made in MADE.items():
            self.key(name, token=name)
            self.add(0, 1, "execute", "executed", key=name, parameters=made.parameters, reply=name, effects=(made,))
        for change in (RELEASE, DELETE, TERMINATE, STOP, START):
            self.key(change, token=change.split()[0], change=change)

    def do(self, first, last, answer, change, key=None, reply="reply", ended="", shows=None) -> "Changes":
        """A stop's or start's `reply` is an operation, which came to `ended`."""
        key = key or change
        fields = {"again": AGAIN.get(change, ""), "at_times": WRONG_STATE if change in (STOP, START) else ""}
        if answer in ("executed", "replayed", "unprotected", "succeeded"):
            ids = (reply,) if change in (STOP, START) else (shows or change,)
            fields |= {"reply": reply, "effects": (Effect(key, ids, shows or change, ended),)}
        elif answer != "unknown":
            answer, fields["reason"] = "refused", answer
        return self.add(first, last, "execute", answer, key=key, parameters=change, **fields)

    def stock(self, first, last, *operations, gone=(), one="RUNNING", two="RUNNING") -> "Changes":
        """What there is, but for what is `gone`, and the states of the two instances; `operations` are made by
        operation()."""
        effects = [Effect(made.key, left, made.parameters) for made in MADE.values()
                   if (left := tuple(its_id for its_id in made.ids if its_id not in gone))]
        states = [("i-1", one), ("i-2", two), *((effect.ids[0], state) for effect, state in operations if effect.ended)]
        self.list(first, last, *effects, *(effect for effect, _ in operations), states=tuple(states))
        return self


def operation(change, name, ended="end", state=None, key=None) -> tuple:
    return Effect(change if key is None else key, (name,), change, ended), state or AFTER[change.split()[0]]


class AcceptedTest(CheckerCase):
    def test_nothing_is_changed(self):
        self.assertAccepted(Changes().stock(2, 3))

    def test_C9_C14_what_was_removed_is_gone(self):
        self.assertAccepted(Changes().do(2, 3, "executed", RELEASE).do(4, 5, "replayed", RELEASE)
                            .stock(6, 7, gone=("h-1", "h-2")))
        self.assertAccepted(Changes().do(2, 3, "executed", DELETE).do(4, 5, "replayed", DELETE)
                            .stock(6, 7, gone=("key-1",)))
        self.assertAccepted(Changes().do(2, 3, "executed", TERMINATE).do(4, 5, "replayed", TERMINATE)
                            .stock(6, 7, one="TERMINATED", two="TERMINATED"))

    def test_C15_an_unknown_answer_was_a_removal_or_was_not(self):
        self.assertAccepted(Changes().do(2, 3, "unknown", RELEASE).stock(4, 5))
        self.assertAccepted(Changes().do(2, 3, "unknown", RELEASE).stock(4, 5, gone=("h-1", "h-2")))
        self.assertAccepted(Changes().do(2, 3, "unknown", TERMINATE).stock(4, 5, one="TERMINATED", two="TERMINATED"))

    def test_C17_a_removal_finds_nothing_once_its_token_is_forgotten(self):
        self.assertAccepted(Changes().do(2, 3, "executed", RELEASE).do(160, 161, "HOST_NOT_FOUND", RELEASE)
                            .stock(162, 163, gone=("h-1", "h-2")))

    def test_C17_C23_a_termination_is_repeated_once_its_token_is_forgotten(self):
        self.assertAccepted(Changes().do(2, 3, "executed", TERMINATE).do(160, 161, "executed", TERMINATE, reply="again")
                            .stock(162, 163, one="TERMINATED", two="TERMINATED"))

    def test_C23_a_termination_without_a_token(self):
        script = Changes().key(TERMINATE, token="", change=TERMINATE).do(2, 3, "unprotected", TERMINATE)
        self.assertAccepted(script.stock(4, 5, one="TERMINATED", two="TERMINATED"))

    def test_C10_a_removals_token_is_that_of_a_launch(self):
        script = Changes().call(2, 3, "executed", made="9", key=RELEASE).do(4, 5, MISMATCH, RELEASE)
        self.assertAccepted(script.call(6, 7, "replayed", made="9", key=RELEASE))

    def test_what_is_listed_before_it_is_made_is_not_removed(self):
        self.assertAccepted(Changes().list(0, 0.5).do(2, 3, "executed", RELEASE))

    def test_C24_a_stop_and_its_retries(self):
        script = Changes().do(2, 3, "executed", STOP, reply="op-1").do(4, 5, "replayed", STOP, reply="op-1")
        script.do(6, 7, "replayed", STOP, reply="op-1", ended="end").get(8, 9, "EXECUTED", STOP, reply="op-1")
        self.assertAccepted(script.stock(8, 9, operation(STOP, "op-1"), one="STOPPED"))

    def test_C24_a_late_retry_of_a_stop_leaves_running_what_another_started(self):
        stop, start = operation(STOP, "op-1", "stopped"), operation(START, "op-2", "started")
        self.assertAccepted(Changes().do(2, 3, "executed", STOP, reply="op-1").do(4, 5, "executed", START, reply="op-2")
                            .do(6, 7, "replayed", STOP, reply="op-1", ended="stopped").stock(8, 9, stop, start))

    def test_C15_an_unknown_answer_was_a_stop_or_was_not(self):
        self.assertAccepted(Changes().do(2, 3, "unknown", STOP).stock(4, 5))
        self.assertAccepted(Changes().do(2, 3, "unknown", STOP).stock(4, 5, operation(STOP, "op-1"), one="STOPPED"))

    def test_C12_the_wrong_state_leaves_the_token_free(self):
        self.assertAccepted(Changes().do(2, 3, WRONG_STATE, START).do(4, 5, "executed", STOP, reply="op-1")
                            .do(6, 7, "executed", START, reply="op-2"))

    def test_C17_a_stop_is_executed_again_once_its_token_is_forgotten(self):
        operations = [operation(change, f"op-{i}") for i, change in enumerate((STOP, START, STOP))]
        self.assertAccepted(Changes().do(2, 3, "executed", STOP, reply="op-0").do(4, 5, "executed", START, reply="op-1")
                            .do(160, 161, "executed", STOP, reply="op-2").stock(162, 163, *operations, one="STOPPED"))

    def test_a_termination_overtakes_a_stop(self):
        failed = operation(STOP, "op-1", state="FAILED")
        self.assertAccepted(Changes().do(2, 3, "executed", STOP, reply="op-1").do(4, 5, "executed", TERMINATE)
                            .stock(6, 7, failed, one="TERMINATED", two="TERMINATED"))


class RefusedRemovalTest(CheckerCase):
    def test_C8_a_removal_that_was_executed_has_no_effect(self):
        for change in (RELEASE, DELETE, TERMINATE):
            self.assertRefused(Changes().do(2, 3, "executed", change).stock(4, 5))
            self.assertRefused(Changes().do(2, 3, "unknown", change).do(4, 5, "replayed", change).stock(6, 7))

    def test_C8_half_of_it_has_an_effect(self):
        self.assertRefused(Changes().do(2, 3, "executed", RELEASE).stock(4, 5, gone=("h-1",)))
        self.assertRefused(Changes().do(2, 3, "unknown", RELEASE).stock(4, 5, gone=("h-2",)))
        self.assertRefused(Changes().do(2, 3, "executed", TERMINATE).stock(4, 5, one="TERMINATED"))

    def test_C12_what_was_refused_has_an_effect(self):
        self.assertRefused(Changes().abandon(2, 3, "ABANDONED", RELEASE).do(4, 5, "CLIENT_TOKEN_ABANDONED", RELEASE)
                           .stock(6, 7, gone=("h-1", "h-2")))
        self.assertRefused(Changes().do(2, 3, "OVERLOADED", TERMINATE).stock(4, 5, one="TERMINATED", two="TERMINATED"))

    def test_C18_a_removal_that_could_not_be_stored_comes_true_in_a_process_that_lives(self):
        self.assertRefused(Changes().do(2, 3, UNAVAILABLE, DELETE).stock(4, 5, gone=("key-1",)))

    def test_C14_something_goes_though_nobody_removes_it(self):
        self.assertRefused(Changes().stock(2, 3, gone=("h-1", "h-2")))
        self.assertRefused(Changes().stock(2, 3, gone=("key-1",)))
        self.assertRefused(Changes().stock(2, 3, gone=("r-1", "i-1", "i-2")))
        self.assertRefused(Changes().stock(2, 3, one="TERMINATED", two="TERMINATED"))

    def test_C14_what_was_seen_gone_is_back(self):
        self.assertRefused(Changes().do(2, 3, "unknown", DELETE).stock(4, 5, gone=("key-1",)).kill(6).stock(7, 8))

    def test_C16_C21_a_retry_finds_nothing(self):
        for change, reason in AGAIN.items():
            self.assertRefused(Changes().do(2, 3, "executed", change).do(4, 5, reason, change))

    def test_C17_what_is_gone_is_removed_again(self):
        for change in AGAIN:
            self.assertRefused(Changes().do(2, 3, "executed", change).do(160, 161, "executed", change, reply="again"))

    def test_C12_something_is_not_found_though_it_is_there(self):
        self.assertRefused(Changes().do(2, 3, "HOST_NOT_FOUND", RELEASE))
        self.assertRefused(Changes().do(2, 3, "INSTANCE_NOT_FOUND", TERMINATE))

    def test_C9_a_retry_with_other_bytes(self):
        self.assertRefused(Changes().do(2, 3, "executed", TERMINATE).do(4, 5, "replayed", TERMINATE, reply="again"))

    def test_C8_a_retry_is_executed(self):
        self.assertRefused(Changes().do(2, 3, "executed", TERMINATE).do(4, 5, "executed", TERMINATE, reply="again"))

    def test_C10_a_reply_about_something_else(self):
        self.assertRefused(Changes().do(2, 3, "executed", RELEASE, shows="ReleaseHosts h-1"))


class RefusedStopTest(CheckerCase):
    def stopped(self) -> Changes:
        return Changes().do(2, 3, "executed", STOP, reply="op-1")

    def test_C24_a_retry_stops_once_more(self):
        self.assertRefused(self.stopped().do(4, 5, "executed", STOP, reply="op-2"))
        self.assertRefused(self.stopped().stock(4, 5, operation(STOP, "op-1"), operation(STOP, "op-2"), one="STOPPED"))

    def test_C24_a_retry_gets_another_operation(self):
        self.assertRefused(self.stopped().do(4, 5, "replayed", STOP, reply="op-2"))
        self.assertRefused(self.stopped().get(4, 5, "EXECUTED", STOP, reply="op-2"))

    def test_C24_a_retry_gets_the_operation_of_another_token(self):
        script = self.stopped().do(4, 5, "executed", START, reply="op-1")
        self.assertRefused(script, "shared reply")

    def test_C24_what_had_ended_goes_on(self):
        self.assertRefused(self.stopped().do(4, 5, "replayed", STOP, reply="op-1", ended="end")
                           .do(6, 7, "replayed", STOP, reply="op-1"))

    def test_C24_what_had_ended_ends_otherwise(self):
        self.assertRefused(self.stopped().do(4, 5, "replayed", STOP, reply="op-1", ended="end")
                           .stock(6, 7, operation(STOP, "op-1", "other"), one="STOPPED"))

    def test_C24_a_retry_gets_the_operation_as_it_was(self):
        self.assertRefused(self.stopped().stock(4, 5, operation(STOP, "op-1"), one="STOPPED")
                           .do(6, 7, "replayed", STOP, reply="op-1"))

    def test_C16_C21_a_retry_finds_the_wrong_state(self):
        self.assertRefused(self.stopped().do(4, 5, WRONG_STATE, STOP))

    def test_C7_the_token_of_a_stop_starts(self):
        self.assertRefused(self.stopped().do(4, 5, "executed", START, key=STOP, reply="op-2"))

    def test_C14_an_acknowledged_operation_is_lost(self):
        self.assertRefused(self.stopped().kill(4).stock(5, 6))

    def test_an_operation_that_nobody_began(self):
        self.assertRefused(Changes().stock(2, 3, operation(STOP, "op-1"), one="STOPPED"))
        self.assertRefused(Changes().stock(2, 3, operation("StopInstance i-2", "op-1", key="")), "stray effect")

    def assertWrongState(self, *operations, **states) -> None:
        """Of a history in which each of the operations was executed."""
        script = Changes()
        for begun, _ in operations:
            script.do(2, 3, "executed", begun.parameters, reply=begun.ids[0])
        self.assertRefused(script.stock(160, 161, *operations, **states), "wrong state")

    def test_C24_the_state_is_not_that_of_the_last_operation(self):
        stop, start = operation(STOP, "op-1"), operation(START, "op-2")
        self.assertWrongState(one="STOPPED")
        self.assertWrongState(stop, one="RUNNING")
        self.assertWrongState(stop, start, one="STOPPED")
        self.assertWrongState(operation(STOP, "op-1", state="STOPPING"), one="STOPPED")
        self.assertWrongState(stop, one="STOPPED", two="STOPPED")

    def test_C14_work_is_never_done(self):
        self.assertWrongState(one="PENDING")
        self.assertWrongState(operation(STOP, "op-1"), one="STOPPING")
        self.assertWrongState(operation(STOP, "op-1", ended=""), one="STOPPED")

    def test_C24_a_stop_of_what_is_stopped_or_a_start_of_what_runs(self):
        self.assertWrongState(operation(STOP, "op-1"), operation(STOP, "op-2"), one="RUNNING")
        self.assertWrongState(operation(START, "op-1"), operation(STOP, "op-2"), one="RUNNING")

    def test_C29_names_tell_no_order_where_the_clock_jumps(self):
        start, stop = operation(START, "op-1"), operation(STOP, "op-2")

        def history(*operations):
            script = Changes(clock_jumps=True)
            for begun, _ in operations:
                script.do(2, 3, "executed", begun.parameters, reply=begun.ids[0])
            return script

        self.assertAccepted(history(start, stop).stock(160, 161, start, stop, one="RUNNING"))
        self.assertRefused(history(start, stop).stock(160, 161, start, stop, one="STOPPED"), "wrong state")
        self.assertRefused(history(start).stock(160, 161, start, one="RUNNING"), "wrong state")

    def test_an_operation_fails_though_nothing_is_terminated(self):
        self.assertWrongState(operation(STOP, "op-1", state="FAILED"), one="STOPPED")

    def test_a_termination_overtakes_more_than_the_last_or_leaves_it_for_ever(self):
        failed = operation(STOP, "op-1", state="FAILED")
        self.assertWrongState(failed, operation(START, "op-2"), one="TERMINATED")
        self.assertWrongState(failed, operation(START, "op-2", state="FAILED"), one="TERMINATED")
        self.assertWrongState(operation(STOP, "op-1", ended=""), one="TERMINATED")

    def test_what_nobody_may_terminate_is_terminated(self):
        script = Changes()
        del script.history.keys[TERMINATE]
        self.assertRefused(script.stock(2, 3, one="TERMINATED"), "wrong state")


if __name__ == "__main__":
    unittest.main()
