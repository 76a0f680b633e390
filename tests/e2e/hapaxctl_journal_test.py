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

    def die_while_calling(self, lose: str, *args: str) -> None:
        """Runs hapaxctl behind a network that loses what `lose` says, and kills it when that has happened."""
        relay = Relay(self.server)
        self.addCleanup(relay.close)
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

    def resume(self) -> tuple:
        ended = self.run_ctl("--journal", self.journal, "resume")
        return ended.code, ended.json

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
        down = {"HAPAX_ENDPOINT": f"127.0.0.1:{free_port()}", "HAPAX_JOURNAL": self.journal, "HAPAX_TIMEOUT": "500ms"}
        self.assertFails(self.run_ctl(*RUN, env=down), OPEN, "to run it again: ")
        ended = self.run_ctl("resume", env=down)
        self.assertEqual((ended.code, [call["outcome"] for call in ended.json]), (OPEN, ["open"]), ended)
        self.assertIn("1 left open", ended.err)
        code, (found,) = self.resume()
        self.assertEqual((code, found["outcome"]), (DONE, "executed"))

    def test_C20_a_call_that_is_refused_is_over_when_its_token_is_given_up(self):
        down = {"HAPAX_ENDPOINT": f"127.0.0.1:{free_port()}", "HAPAX_JOURNAL": self.journal, "HAPAX_TIMEOUT": "500ms"}
        self.assertFails(self.run_ctl("run-instances", "--image-id", "ami-none", env=down), OPEN)
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
            self.assertEqual(self.run_ctl("--journal", self.journal, "resume", stdout=full).code, OPEN)
        code, found = self.resume()
        self.assertEqual((code, [call["outcome"] for call in found]), (DONE, ["replayed"]))

    def test_as_a_table(self):
        self.die_while_calling("replies", *RUN, "--client-token", "boot-2")
        table = self.ctl("--journal", self.journal, "--output", "table", "resume").out
        self.assertRegex(table, "CLIENT_TOKEN +boot-2\n")
        self.assertRegex(table, f"INSTANCES +{self.instances()[0].instance_id}\n")

    def test_a_file_that_is_no_journal(self):
        path = self.server.write("no-journal", "something else " * 100)
        self.assertFails(self.run_ctl("--journal", path, *RUN), USAGE, path)
        self.assertEqual(self.instances(), [])


if __name__ == "__main__":
    unittest.main()
