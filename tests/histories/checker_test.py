"""The checker itself: it accepts what the contract allows, and refuses histories that break one clause each."""

import pathlib
import tempfile
import unittest

from history import History
from script import A, B, CREATE, UNAVAILABLE, CheckerCase, Script, effect, listed


class AcceptedTest(CheckerCase):
    def test_nothing_happened(self):
        self.assertAccepted(Script().list(1, 2))

    def test_C8_C9_an_execution_its_replay_and_its_effect(self):
        self.assertAccepted(Script().call(1, 2, "executed").call(3, 4, "replayed")
                            .get(5, 6, "EXECUTED", reply="reply 1").list(7, 8, listed()))

    def test_C11_of_duplicates_one_executes_whoever_was_first_or_is_told_first(self):
        self.assertAccepted(Script().call(1, 9, "executed").call(2, 3, "replayed").call(2.5, 8, "replayed"))

    def test_C10_a_mismatch_when_the_other_parameters_may_have_come_before(self):
        self.assertAccepted(Script().call(1, 5, "executed").call(2, 3, "IDEMPOTENT_PARAMETER_MISMATCH", B))

    def test_C10_a_mismatch_when_an_unknown_answer_may_have_been_an_execution(self):
        self.assertAccepted(Script().call(1, 2, "unknown").call(3, 4, "IDEMPOTENT_PARAMETER_MISMATCH", B)
                            .call(5, 6, "replayed").list(7, 8, listed()))

    def test_C12_a_failed_attempt_leaves_the_token_free(self):
        self.assertAccepted(Script().call(1, 2, "IMAGE_NOT_FOUND", B, flaw="IMAGE_NOT_FOUND").get(3, 4, "FREE")
                            .call(5, 6, "executed"))

    def test_C15_an_unknown_answer_was_an_execution_or_was_not(self):
        self.assertAccepted(Script().call(1, 2, "unknown").call(3, 4, "replayed"))
        self.assertAccepted(Script().call(1, 2, "unknown").call(3, 4, "executed"))
        self.assertAccepted(Script().call(1, 2, "unknown").list(3, 4, listed()))
        self.assertAccepted(Script().call(1, 2, "unknown").list(3, 4))

    def test_C15_an_unknown_answer_may_come_late(self):
        self.assertAccepted(Script().call(1, 2, "unknown").get(3, 4, "FREE").list(5, 6).list(7, 8, listed()))

    def test_a_reply_that_does_not_say_how_it_came(self):
        self.assertAccepted(Script().call(1, 2, "succeeded").call(3, 4, "succeeded").call(5, 6, "replayed"))

    def test_C29_a_token_is_kept_for_longer_where_the_clock_is_wrong(self):
        for script in (Script(clock_jumps=True).key("k", made=1), Script(clock_jumps=True)):
            self.assertAccepted(script.call(1, 2, "executed").call(400, 401, "replayed").call(500, 501, "CLIENT_TOKEN_EXPIRED"))

    def test_C29_a_token_is_kept_for_less_by_as_much_as_a_clock_may_be_behind(self):
        behind = lambda: Script(clock_jumps=True, skew=10).call(21, 22, "executed")
        self.assertAccepted(behind().call(115, 116, "CLIENT_TOKEN_EXPIRED").call(165, 166, "executed", made="2"))
        self.assertRefused(behind().call(105, 106, "CLIENT_TOKEN_EXPIRED"))
        self.assertRefused(behind().call(155, 156, "executed", made="2"))

    def test_C17_expired_and_then_free_again(self):
        self.assertAccepted(Script().call(1, 2, "executed").call(99, 100, "replayed")
                            .call(110, 111, "CLIENT_TOKEN_EXPIRED").get(112, 113, "EXPIRED")
                            .call(160, 161, "executed", made="2").call(162, 163, "replayed", made="2")
                            .list(164, 165, listed(), listed("2")))

    def test_C17_a_key_pairs_name_is_taken_once_the_token_is_forgotten(self):
        self.assertAccepted(Script().call(1, 2, "executed", CREATE).call(160, 161, "KEYPAIR_ALREADY_EXISTS", CREATE))

    def test_C17_a_token_that_tells_its_age_is_refused_by_it(self):
        script = Script().key("old", token="old", made=0).call(101, 102, "CLIENT_TOKEN_EXPIRED", key="old")
        self.assertAccepted(script.abandon(103, 104, "EXPIRED", key="old"))

    def test_C18_what_could_not_be_stored_may_come_true_with_a_kill(self):
        self.assertAccepted(Script().call(1, 2, UNAVAILABLE).get(3, 4, "FREE").kill(5).call(6, 7, "replayed"))

    def test_C20_of_an_attempt_and_an_abandonment_one_wins(self):
        self.assertAccepted(Script().call(1, 4, "CLIENT_TOKEN_ABANDONED").abandon(2, 5, "ABANDONED")
                            .abandon(6, 7, "ABANDONED"))
        self.assertAccepted(Script().call(1, 4, "executed").abandon(2, 3, "EXECUTED", reply="reply 1"))
        self.assertAccepted(Script().abandon(1, 2, "unknown").call(3, 4, "CLIENT_TOKEN_ABANDONED"))

    def test_C3_calls_without_a_token(self):
        script = Script().key("u", token="").key("v", token="")
        self.assertAccepted(script.call(1, 2, "unprotected", key="u").call(1, 2, "unknown", key="v", made="2")
                            .list(3, 4, listed(key="u")))

    def test_C4_C6_the_same_token_elsewhere_is_another(self):
        script = Script().key("zone", zone="z").key("other", tenant="o")
        for made, key in enumerate(("k", "zone", "other")):
            script.call(1, 2, "executed", made=made, key=key)
        self.assertAccepted(script.list(3, 4, listed(0), listed(1, "zone"), token="token")
                            .list(3, 4, listed(2, "other"), tenant="o"))

    def test_a_history_is_the_same_when_it_was_written_and_read(self):
        script = Script().call(1, 2, "executed").kill(3).list(4, 5, listed()).settled(6)
        with tempfile.TemporaryDirectory(prefix="hapax-history-") as work:
            path = pathlib.Path(work) / "history"
            script.history.write(path)
            again = History.read(path)
        for name in ("policy", "keys", "operations", "kills", "settled_ns"):
            self.assertEqual(getattr(again, name), getattr(script.history, name), name)


class RefusedTest(CheckerCase):
    def test_C8_two_executions(self):
        self.assertRefused(Script().call(1, 2, "executed").call(3, 4, "executed", made="2"))

    def test_C8_a_reply_that_does_not_say_that_it_was_a_second_execution(self):
        self.assertRefused(Script().call(1, 2, "executed").call(3, 4, "succeeded", made="2"))

    def test_C26_a_reply_without_an_outcome(self):
        self.assertRefused(Script().call(1, 2, "no outcome"))

    def test_C26_executed_as_if_there_were_no_token_and_the_other_way_round(self):
        self.assertRefused(Script().call(1, 2, "unprotected"))
        self.assertRefused(Script().key("u", token="").call(1, 2, "executed", key="u"))

    def test_C8_C11_two_executions_at_the_same_time(self):
        self.assertRefused(Script().call(1, 9, "executed").call(2, 8, "executed", made="2"))

    def test_C8_two_effects_of_one_execution(self):
        self.assertRefused(Script().call(1, 2, "executed").list(3, 4, listed(), listed("2")))

    def test_C14_an_acknowledged_effect_is_lost(self):
        self.assertRefused(Script().call(1, 2, "executed").kill(3).list(4, 5))

    def test_C14_an_acknowledged_record_is_lost(self):
        self.assertRefused(Script().call(1, 2, "executed").kill(3).get(4, 5, "FREE"))

    def test_C14_a_replay_whose_effect_is_lost(self):
        self.assertRefused(Script().call(1, 2, "unknown").call(3, 4, "replayed").list(5, 6))

    def test_C14_an_effect_that_was_seen_is_gone(self):
        self.assertRefused(Script().call(1, 2, "unknown").list(3, 4, listed()).kill(5).list(6, 7))

    def test_C9_a_replay_of_other_bytes(self):
        self.assertRefused(Script().call(1, 2, "executed").call(3, 4, "replayed", reply="reply 2"))

    def test_C9_two_replays_that_differ_when_the_first_reply_was_lost(self):
        self.assertRefused(Script().call(1, 2, "unknown").call(3, 4, "replayed").call(5, 6, "replayed", reply="other"))

    def test_C9_a_replay_of_another_effect_than_is_there(self):
        self.assertRefused(Script().call(1, 2, "unknown").list(3, 4, listed("2")).call(5, 6, "replayed"))

    def test_C9_a_replay_before_anything_was_sent(self):
        self.assertRefused(Script().call(1, 2, "replayed").call(3, 4, "executed"))

    def test_C9_a_replay_of_nothing(self):
        self.assertRefused(Script().call(1, 2, "replayed"))

    def test_C9_a_retry_is_executed_by_other_parameters(self):
        self.assertRefused(Script().call(1, 2, "executed").call(3, 4, "replayed", B))

    def test_C10_a_mismatch_without_reason(self):
        self.assertRefused(Script().call(1, 2, "IDEMPOTENT_PARAMETER_MISMATCH"))

    def test_C10_a_mismatch_before_the_other_was_sent(self):
        self.assertRefused(Script().call(1, 2, "IDEMPOTENT_PARAMETER_MISMATCH").call(3, 4, "executed", B))

    def test_C10_a_mismatch_of_the_same_parameters(self):
        self.assertRefused(Script().call(1, 2, "executed").call(3, 4, "IDEMPOTENT_PARAMETER_MISMATCH"))

    def test_C10_another_effect_than_was_asked_for(self):
        self.assertRefused(Script().call(1, 2, "executed", shows=B))
        self.assertRefused(Script().call(1, 2, "executed").list(3, 4, listed(parameters=B)))

    def test_C12_a_refused_call_with_an_effect(self):
        self.assertRefused(Script().call(1, 2, "IMAGE_NOT_FOUND", flaw="IMAGE_NOT_FOUND").list(3, 4, listed()))

    def test_C12_a_failed_attempt_takes_the_token(self):
        self.assertRefused(Script().call(1, 2, "IMAGE_NOT_FOUND", B, flaw="IMAGE_NOT_FOUND")
                           .call(3, 4, "IDEMPOTENT_PARAMETER_MISMATCH"))

    def test_C12_an_error_without_reason(self):
        self.assertRefused(Script().call(1, 2, "IMAGE_NOT_FOUND"))
        self.assertRefused(Script().call(1, 2, "INTERNAL"))

    def test_C16_C21_a_failure_though_the_token_was_executed(self):
        self.assertRefused(Script().call(1, 2, "executed").call(3, 4, "IMAGE_NOT_FOUND", B, flaw="IMAGE_NOT_FOUND"))
        self.assertRefused(Script().call(1, 2, "executed", CREATE).call(3, 4, "KEYPAIR_ALREADY_EXISTS", CREATE))

    def test_C12_wrong_parameters_are_executed(self):
        self.assertRefused(Script().call(1, 2, "executed", flaw="IMAGE_NOT_FOUND"))

    def test_C18_a_write_that_failed_comes_true_in_a_process_that_lives(self):
        self.assertRefused(Script().call(1, 2, UNAVAILABLE).list(3, 4, listed()).kill(5))

    def test_C29_expired_or_executed_again_too_early_whatever_the_clock_says(self):
        jumps = lambda: Script(clock_jumps=True).call(1, 2, "executed")
        self.assertRefused(jumps().call(50, 51, "CLIENT_TOKEN_EXPIRED"))
        self.assertRefused(jumps().call(140, 141, "executed", made="2"))

    def test_C17_expired_too_early(self):
        self.assertRefused(Script().call(1, 2, "executed").call(90, 91, "CLIENT_TOKEN_EXPIRED"))

    def test_C17_replayed_too_late(self):
        self.assertRefused(Script().call(1, 2, "executed").call(110, 111, "replayed"))

    def test_C17_replayed_after_it_was_refused(self):
        self.assertRefused(Script().call(1, 60, "executed").call(120, 121, "CLIENT_TOKEN_EXPIRED")
                           .call(130, 131, "replayed"))

    def test_C17_executed_again_before_it_was_forgotten(self):
        self.assertRefused(Script().call(1, 2, "executed").call(140, 141, "executed", made="2"))

    def test_C17_a_token_that_tells_its_age_executes_again(self):
        script = Script().key("old", token="old", made=0)
        self.assertRefused(script.call(1, 2, "executed", key="old").call(900, 901, "executed", key="old", made="2"))

    def test_C17_a_token_that_tells_its_age_executes_too_late(self):
        self.assertRefused(Script().key("old", token="old", made=0).call(102, 103, "executed", key="old"))

    def test_C17_expired_though_nothing_was_executed(self):
        self.assertRefused(Script().call(1, 2, "CLIENT_TOKEN_EXPIRED"))

    def test_C20_executed_after_it_was_abandoned(self):
        self.assertRefused(Script().abandon(1, 2, "ABANDONED").call(3, 4, "executed"))

    def test_C20_an_effect_of_a_late_original_after_it_was_abandoned(self):
        self.assertRefused(Script().call(1, 2, "unknown").abandon(3, 4, "ABANDONED").list(5, 6, listed()))

    def test_C20_abandoned_after_it_was_executed(self):
        self.assertRefused(Script().call(1, 2, "executed").abandon(3, 4, "ABANDONED"))

    def test_C20_abandoned_is_forgotten(self):
        self.assertRefused(Script().abandon(1, 2, "ABANDONED").get(900, 901, "FREE"))

    def test_C20_refused_as_abandoned_before_anybody_gave_it_up(self):
        self.assertRefused(Script().call(1, 2, "CLIENT_TOKEN_ABANDONED").abandon(3, 4, "ABANDONED"))

    def test_C20_both_an_attempt_and_an_abandonment_win(self):
        self.assertRefused(Script().call(1, 4, "executed").abandon(2, 3, "ABANDONED"))

    def test_C28_told_free_though_it_was_executed(self):
        self.assertRefused(Script().call(1, 2, "executed").get(3, 4, "FREE"))

    def test_C28_told_another_reply(self):
        self.assertRefused(Script().call(1, 2, "executed").get(3, 4, "EXECUTED", reply="other"))

    def test_C28_told_of_an_execution_that_goes_away(self):
        self.assertRefused(Script().call(1, 2, "unknown").get(3, 4, "EXECUTED", reply="reply 1")
                           .call(5, 6, "executed", made="2"))

    def test_C13_an_unknown_answer_comes_true_when_all_was_settled(self):
        self.assertRefused(Script().call(1, 2, "unknown").kill(3).settled(4).list(5, 6).list(7, 8, listed()))

    def test_C4_one_tenants_effect_in_anothers_list(self):
        script = Script().key("other", tenant="o", token="other").call(1, 2, "executed")
        self.assertRefused(script.list(3, 4, listed(), tenant="o"), "stray effect")

    def test_C4_one_tenants_reply_for_another(self):
        script = Script().key("other", tenant="o").call(1, 2, "executed")
        self.assertRefused(script.call(3, 4, "executed", key="other", made="2", reply="reply 1"), "shared reply")

    def test_C4_one_tenants_execution_answers_another(self):
        script = Script().key("other", tenant="o").call(1, 2, "executed")
        self.assertRefused(script.call(3, 4, "replayed", key="other", made="2"))

    def test_C6_one_scopes_execution_answers_another(self):
        script = Script().key("zone", zone="z").call(1, 2, "executed")
        self.assertRefused(script.get(3, 4, "EXECUTED", key="zone", reply="x"))

    def test_C6_an_effect_in_two_scopes(self):
        script = Script().key("zone", zone="z").call(1, 2, "executed")
        self.assertRefused(script.call(3, 4, "executed", key="zone", reply="reply 2"), "shared effect")

    def test_an_effect_without_a_call(self):
        self.assertRefused(Script().list(1, 2, listed()))
        self.assertRefused(Script().list(1, 2, listed(key="nobody")), "stray effect")

    def test_an_answer_with_an_effect_of_another_key(self):
        script = Script().key("other", token="other").call(1, 2, "executed", key="other")
        script.add(3, 4, "execute", "executed", key="k", parameters=A, reply="x", effects=(effect("2", "other"),))
        self.assertRefused(script, "answer of another key")


if __name__ == "__main__":
    unittest.main()
