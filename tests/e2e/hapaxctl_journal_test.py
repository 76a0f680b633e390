"""hapaxctl --journal: a client that died finds out what became of its calls, and makes none of them twice."""

import unittest

from case import IMAGE, eventually
from ctl import DONE, OPEN, USAGE, CtlCase, free_port
from relay import Relay

RUN = ("run-instances", "--image-id", IMAGE)


class JournalTest(CtlCase):
    def setUp(self):
        super().setUp()
        self.journal = str(self.server.dir / f"{self.tenant}.journal")
        self.begun_at = None

    def die_while_calling(self, lose: str, *args: str) -> None:
        """Runs hapaxctl behind a network that loses what `lose` says, and kills it when that has happened."""
        relay = Relay(self.server)
        self.addCleanup(relay.close)
        self.begun_at = relay.address
        if lose == "replies":
            relay.lose_replies_after = IMAGE.encode()
        else:
            relay.lose_requests_from = IMAGE.encode()
        process = self.start_ctl("--journal", self.journal, *args, env={"HAPAX_ENDPOINT": relay.address})
        eventually(lambda: relay.lost, "the loss")
        if lose == "replies":
            eventually(self.instances, "the effect of the call")
        process.kill()
        process.wait()

    def resume(self, *flags: str) -> tuple:
        """At the server itself, of which the relay, or the address where nobody listened, is another name."""
        accept = ("--accept-endpoint", self.begun_at) if self.begun_at else ()
        ended = self.run_ctl("--journal", self.journal, "resume", *accept, *flags)
        return ended.code, ended.json

    def down(self) -> dict:
        """The environment of a client whose server is down."""
        self.begun_at = f"127.0.0.1:{free_port()}"
        return {"HAPAX_ENDPOINT": self.begun_at, "HAPAX_JOURNAL": self.journal, "HAPAX_TIMEOUT": "500ms"}

    def test_C15_openstack_the_client_has_gone_down_and_knows_not_how_its_server_is(self):
        self.die_while_calling("replies", *RUN, "--client-token", "boot-1")
        (instance,) = self.instances()

        code, (found,) = self.resume()
        self.assertEqual(code, DONE)
        self.assertEqual((found["method"], found["clientToken"], found["outcome"]),
                         ("hapax.compute.v1.Compute/RunInstances", "boot-1", "replayed"))
        self.assertEqual(found["reply"]["instances"][0]["instanceId"], instance.instance_id)
        self.assertNotIn("error", found)
        self.assertEqual(len(self.instances()), 1)
        self.assertEqual(self.resume(), (DONE, []))

        # Or without the journal, by the token.
        token = self.ctl("token get boot-1").json
        self.assertEqual(token["state"], "TOKEN_STATE_EXECUTED")
        self.assertEqual(token["reply"]["instances"][0]["instanceId"], instance.instance_id)
        self.assertEqual(token["reply"]["reservationId"], instance.reservation_id)

    def test_C13_the_request_never_arrived_and_resume_makes_it(self):
        self.die_while_calling("requests", *RUN)
        self.assertEqual(self.instances(), [])
        code, (found,) = self.resume()
        self.assertEqual((code, found["outcome"]), (DONE, "executed"))
        self.assertEqual([i.client_token for i in self.instances()], [found["clientToken"]])

    def test_what_is_settled_is_not_kept(self):
        self.ctl("--journal", self.journal, *RUN, outcome="executed")
        refused = self.run_ctl("--journal", self.journal, "run-instances", "--image-id", "ami-none")
        self.assertNotEqual(refused.code, DONE)
        self.ctl("--journal", self.journal, "describe-instances")
        self.assertEqual(self.resume(), (DONE, []))

    def test_while_the_server_is_down_it_stays_open(self):
        down = self.down()
        self.assertFails(self.run_ctl(*RUN, env=down), OPEN, "to run it again: ")
        ended = self.run_ctl("resume", env=down)
        self.assertEqual((ended.code, [call["outcome"] for call in ended.json]), (OPEN, ["open"]), ended)
        self.assertIn("1 left open", ended.err)
        code, (found,) = self.resume()
        self.assertEqual((code, found["outcome"]), (DONE, "executed"))

    def test_C20_a_call_that_is_refused_is_over_when_its_token_is_given_up(self):
        self.assertFails(self.run_ctl("run-instances", "--image-id", "ami-none", env=self.down()), OPEN)
        # The attempt of the process that is gone may still be on its way.
        code, (found,) = self.resume()
        self.assertEqual((code, found["outcome"]), (OPEN, "open"))
        self.assertEqual((found["error"]["code"], found["error"]["reason"]), ("NOT_FOUND", "IMAGE_NOT_FOUND"))
        self.ctl("token", "abandon", found["clientToken"])
        code, (found,) = self.resume()
        self.assertEqual((code, found["outcome"], found["error"]["reason"]),
                         (DONE, "refused", "CLIENT_TOKEN_ABANDONED"))
        self.assertEqual(self.resume(), (DONE, []))

    def test_a_call_stays_until_its_reply_is_written(self):
        with open("/dev/full", "w") as full:
            ended = self.run_ctl("--journal", self.journal, *RUN, stdout=full)
        self.assertEqual(ended.code, OPEN, ended)
        code, (found,) = self.resume()
        self.assertEqual((code, found["outcome"]), (DONE, "replayed"))

    def test_a_resumed_reply_that_cannot_be_written_stays_in_the_journal(self):
        self.die_while_calling("replies", *RUN)
        with open("/dev/full", "w") as full:
            ended = self.run_ctl("--journal", self.journal, "resume", "--accept-endpoint", self.begun_at, stdout=full)
        self.assertEqual(ended.code, OPEN)
        code, found = self.resume()
        self.assertEqual((code, [call["outcome"] for call in found]), (DONE, ["replayed"]))

    def test_as_a_table(self):
        self.die_while_calling("replies", *RUN, "--client-token", "boot-2")
        table = self.ctl("--journal", self.journal, "--output", "table", "resume", "--accept-endpoint", self.begun_at).out
        self.assertRegex(table, "CLIENT_TOKEN +boot-2\n")
        self.assertRegex(table, f"INSTANCES +{self.instances()[0].instance_id}\n")

    def test_a_call_is_not_resumed_elsewhere_or_by_another_caller_unless_that_is_accepted(self):
        self.assertFails(self.run_ctl(*RUN, "--client-token", "boot-3", env=self.down()), OPEN)
        resume = ("--journal", self.journal, "resume")
        for flags, env in (((), {}), (("--accept-endpoint", "127.0.0.1:1"), {}),
                           (("--accept-endpoint", self.begun_at), {"HAPAX_TENANT": "mallory"})):
            with self.subTest(flags=flags, env=env):
                ended = self.run_ctl(*resume, *flags, env=env)
                self.assertEqual((ended.code, [call["outcome"] for call in ended.json]), (USAGE, ["open"]), ended)
                self.assertIn(f"begun at {self.begun_at} as tenant {self.tenant}, and this is ", ended.err)
                self.assertIn("--accept-endpoint", ended.err)
        # To run the same line elsewhere would be the same mistake.
        again = self.run_ctl("--journal", self.journal, *RUN, "--client-token", "boot-3")
        self.assertFails(again, USAGE, self.begun_at)
        self.assertEqual(self.instances(), [])
        ended = self.run_ctl(*resume, "--accept-endpoint", self.begun_at, "--accept-caller", env={"HAPAX_TENANT": "mallory"})
        self.assertEqual((ended.code, [call["outcome"] for call in ended.json]), (DONE, ["executed"]), ended)

    def test_C30_a_call_is_resumed_at_any_server_of_the_list(self):
        env = self.down()
        begun_at = env["HAPAX_ENDPOINT"]
        self.assertFails(self.run_ctl(*RUN, env={**env, "HAPAX_ENDPOINT": f"{begun_at},127.0.0.1:{free_port()}"}), OPEN)
        ended = self.run_ctl("--journal", self.journal, "resume",
                             env={"HAPAX_ENDPOINT": f"{begun_at},{self.server.address}"})
        self.assertEqual((ended.code, [call["outcome"] for call in ended.json]), (DONE, ["executed"]), ended)

    def test_a_file_that_is_no_journal(self):
        path = self.server.write("no-journal", "something else " * 100)
        self.assertFails(self.run_ctl("--journal", path, *RUN), USAGE, path)
        self.assertEqual(self.instances(), [])


if __name__ == "__main__":
    unittest.main()
