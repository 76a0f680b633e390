"""hapaxctl: the command lines of the documents that Hapax follows, and every exit code."""

import os
import re
import socket
import unittest

import catalogs
from case import IMAGE, OTHER_IMAGE, eventually, new_token
from ctl import NOT_NOW, OPEN, REFUSED, TOKEN_USED_UP, USAGE, CtlCase, free_port
from harness import Server
from relay import Relay

# As EC2's documentation has them.
AWS_LINES = (
    "aws ec2 allocate-hosts --instance-type m5.large --availability-zone eu-west-1a --auto-placement on --quantity 1 "
    "--client-token 550e8400-e29b-41d4-a716-446655440000",
    "aws ec2 run-instances --image-id ami-b232d0db --count 1 --key-name my-key-pair "
    "--client-token 550e8400-e29b-41d4-a716-446655440000",
    'aws ec2 run-instances --placement "AvailabilityZone=us-east-1a" --image-id ami-b232d0db --count 1 '
    "--key-name my-key-pair --client-token 550e8400-e29b-41d4-a716-446655440000",
)
RUN = f"run-instances --image-id {IMAGE}"


class SeedLinesTest(CtlCase):
    def test_C8_C9_C14_aws_lines_with_the_programs_name_changed(self):
        typed = [line.removeprefix("aws ") for line in AWS_LINES]
        firsts = [self.ctl(line, outcome="executed") for line in typed]
        for line, first in zip(typed, firsts):
            self.assertEqual(self.ctl(line, outcome="replayed").out, first.out)
        self.server.kill()
        self.server.start()
        for line, first in zip(typed, firsts):
            self.assertEqual(self.ctl(line.removeprefix("ec2 "), outcome="replayed").out, first.out)

        (host,) = self.hosts()
        self.assertEqual(firsts[0].json, {"hostIds": [host.host_id]})
        launched = {first.json["instances"][0]["instanceId"] for first in firsts[1:]}
        self.assertEqual({instance.instance_id for instance in self.instances()}, launched)
        self.assertEqual(firsts[2].json["instances"][0]["availabilityZone"], "us-east-1a")

    def test_C1_openstack_x_client_token_before_and_after_the_verb(self):
        # nova --x-client-token TOKEN boot ...
        first = self.ctl(f"--x-client-token foo {RUN}", outcome="executed")
        self.assertEqual(self.ctl(f"{RUN} --x-client-token foo", outcome="replayed").out, first.out)
        self.assertEqual(self.ctl(f"ec2 {RUN} --client-token foo", outcome="replayed").out, first.out)
        self.assertEqual(self.ctl(f"--x-client-token foo {RUN} --client-token foo", outcome="replayed").out, first.out)
        self.assertEqual(len(self.instances()), 1)

    def test_C15_a_lost_reply_is_asked_for_by_another_attempt(self):
        relay = Relay(self.server)
        self.addCleanup(relay.close)
        relay.lose_replies_after = IMAGE.encode()
        ended = self.start_ctl(*RUN.split(), "--attempt-timeout", "300ms", "--timeout", "60s", text=True,
                               env={"HAPAX_ENDPOINT": relay.address})
        eventually(self.instances, "the effect of the first attempt")
        relay.lose_replies_after = None
        relay.lose_replies = False
        relay.cut()
        _, err = ended.communicate(timeout=60)
        self.assertEqual(ended.returncode, 0, err)
        self.assertRegex(err, "replayed; client token [0-9a-f-]{36}; [0-9]+ attempts")
        self.assertEqual(len(self.instances()), 1)

    def test_without_a_token_a_new_one_is_said_before_it_is_sent(self):
        ended = self.ctl(RUN, outcome="executed")
        said = re.match("hapaxctl: run-instances: client token ([0-9a-f-]{36}) ", ended.err)
        self.assertTrue(said, ended)
        replayed = self.ctl(f"{RUN} --client-token {said[1]}", outcome="replayed")
        self.assertEqual(replayed.out, ended.out)


class ExitCodeTest(CtlCase):
    def test_1_the_command_line_names_the_flag_and_what_is_allowed(self):
        for line, says in (
                ("run-instances", "--image-id is required"),
                (f"{RUN} --count 0", "--count: must be N, or MIN:MAX"),
                (f"{RUN} --placement Zone=a", "--placement: \"Zone\" is none of its keys: AvailabilityZone"),
                (f"{RUN} --tag-specifications Tags=[]", "--tag-specifications: ResourceType=instance is missing"),
                (f"{RUN} --client-token ''", "--client-token: must be 1 to 64 printable"),
                (f"{RUN} --client-token a --x-client-token b", "--client-token and --x-client-token are different"),
                ("--x-client-token a describe-hosts", "--x-client-token: describe-hosts"),
                ("describe-instances --filters Name=x", "--filters: a filter is Name=...,Values=..."),
                ("describe-instances --page-size 1001", "--page-size: must be a number from 1 to 1000"),
                (f"{RUN} --timeout 30", "--timeout: must be a duration above zero, such as 500ms, 30s"),
                (f"{RUN} --endpoint localhost", "--endpoint: must be HOST:PORT"),
                (f"{RUN} --endpoint h:1,localhost", "--endpoint: must be HOST:PORT"),
                (f"{RUN} --endpoint h:1,H:1", "--endpoint: endpoint \"H:1\": is the same as \"h:1\""),
                (f"{RUN} --endpoint http://{self.server.address}", "--endpoint: must be HOST:PORT (--endpoint-url"),
                (f"{RUN} --endpoint-url {self.server.address}", "--endpoint-url: must be http://HOST[:PORT]"),
                (f"{RUN} --endpoint-url http://{self.server.address} --tls", "--endpoint-url http://... is without TLS"),
                (f"{RUN} --endpoint-url http://h:1 --endpoint h:1", "--endpoint and --endpoint-url exclude"),
                (f"{RUN} --dry-run", "--dry-run: is not there"),
                (f"{RUN} --query a..b", "--query: expected a name"),
                (f"{RUN} --query a --output table", "--query: goes with --output json or text"),
                ("resume --query a", "--query: resume prints no reply"),
                (f"{RUN} --nope", "--nope: run-instances has no such flag"),
                (f"{RUN} --client", "--client-token: needs a value"),
                ("describe-instances --filters Name=a,Values=b,Name=c,Values=d", "--filters: the key \"Name\" is given twice"),
                ("describe-instances --filters file:///nowhere", "--filters: \"/nowhere\" cannot be read"),
                ("describe-instances --filters {", "--filters: JSON: expected"),
                ("run-instances --cli-input-json {}", "--image-id is required"),
                ("run-instances --cli-input-json '{\"Image\": 1}'", "--cli-input-json: \"Image\" is none of ImageId"),
                (f"{RUN} --output xml", "--output: xml not in {json,table,text}"),
                (f"{RUN} --tls-ca-file /nowhere", "--tls-ca-file: File does not exist"),
                (f"{RUN} --journal /nowhere/journal", "cannot open journal /nowhere/journal"),
                (f"{RUN} --api-key-file /nowhere", "--api-key-file: \"/nowhere\" cannot be read"),
                ("resume", "--journal (or HAPAX_JOURNAL)"),
                ("lunch-instances", "lunch-instances"),
                ("token", "a verb is required"),
                ("", "a verb is required")):
            self.assertFails(self.run_ctl(line), USAGE, says)
        self.assertFails(self.run_ctl(RUN, env={"HAPAX_TIMEOUT": "soon"}), USAGE, "--timeout: must be a duration")
        tags = b"ResourceType=instance,Tags=[{Key=k,Value=\xff}]"
        for flag, value in (("--tag-specifications", tags), ("--key-name", b"\xff"), ("--region", b"\xff")):
            ended = self.run_ctl(*RUN.split(), flag, os.fsdecode(value))
            self.assertFails(ended, USAGE, f"{flag}: must be UTF-8")
        self.assertEqual(self.instances(), [])

    def test_2_refused_for_good(self):
        self.assertFails(self.run_ctl("run-instances --image-id ami-none"), REFUSED, "IMAGE_NOT_FOUND", "image_id")
        self.assertFails(self.run_ctl("describe-hosts --host-ids h-none"), REFUSED, "HOST_NOT_FOUND")
        wildcard = self.run_ctl("describe-instances --filters Name=tag:T*,Values=x")
        self.assertFails(wildcard, REFUSED, "INVALID_PARAMETER", "without wildcards")
        self.assertFails(self.run_ctl("operation wait none"), REFUSED, "OPERATION_NOT_FOUND")

    def test_3_the_token_is_used_up(self):
        self.ctl(f"{RUN} --client-token t", outcome="executed")
        other = self.run_ctl(f"run-instances --image-id {OTHER_IMAGE} --client-token t")
        self.assertFails(other, TOKEN_USED_UP, "IDEMPOTENT_PARAMETER_MISMATCH", "image_id")
        self.assertIn("nothing will be", self.ctl("token abandon given-up").err)
        late = self.run_ctl(f"{RUN} --client-token given-up")
        self.assertFails(late, TOKEN_USED_UP, "CLIENT_TOKEN_ABANDONED")

    def test_5_the_server_is_down_and_the_same_token_finds_out_later(self):
        port = free_port()
        endpoint = {"HAPAX_ENDPOINT": f"127.0.0.1:{port}"}
        open_ended = self.run_ctl("--api-key", "secret-key", *RUN.split(), "--timeout", "1s", env=endpoint)
        self.assertFails(open_ended, OPEN, "to run it again: ", " --client-token ")
        self.assertNotIn("secret-key", open_ended.err)
        line = open_ended.err.splitlines()[-1].partition("to run it again: ")[2]
        words = line.replace('--api-key "$HAPAX_API_KEY"', "").split(" ", 1)[1]
        server = Server(f"--listen_address=127.0.0.1:{port}")
        self.addCleanup(server.close)
        server.start()
        words = words.replace("--timeout 1s", "--timeout 60s")
        executed = self.ctl(words, outcome="executed", env=endpoint)
        self.assertEqual(self.ctl(words, outcome="replayed", env=endpoint).out, executed.out)

    def test_4_a_list_that_nobody_answers_left_nothing_open(self):
        env = {"HAPAX_ENDPOINT": f"127.0.0.1:{free_port()}"}
        self.assertFails(self.run_ctl("describe-hosts --timeout 500ms", env=env), NOT_NOW)

    def test_5_a_reply_that_cannot_be_written_is_as_good_as_lost(self):
        with open("/dev/full", "w") as full:
            ended = self.run_ctl(f"{RUN} --client-token t", stdout=full)
        self.assertFails(ended, OPEN, "the result cannot be written", "to run it again: ", "--client-token t")
        self.ctl(f"{RUN} --client-token t", outcome="replayed")

    def test_secrets_are_in_no_error(self):
        for key in ("two words", "umlaut-ä"):
            ended = self.assertFails(self.run_ctl("--api-key", key, "token", "policy"), USAGE, "--api-key")
            self.assertNotIn(key, ended.err)


class SeveralServersTest(CtlCase):
    def test_C30_servers_that_are_down_or_silent_are_passed_over(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            endpoints = f"127.0.0.1:{free_port()},127.0.0.1:{silent.getsockname()[1]},{self.server.address}"
            first = self.ctl(f"{RUN} --endpoint {endpoints} --client-token several", outcome="executed")
        self.assertEqual(self.ctl(f"{RUN} --client-token several", outcome="replayed").out, first.out)

    def test_5_when_all_are_down_the_error_names_them(self):
        ports = free_port(), free_port()
        endpoints = ",".join(f"127.0.0.1:{port}" for port in ports)
        ended = self.run_ctl(f"{RUN} --endpoint {endpoints} --timeout 500ms")
        self.assertFails(ended, OPEN, *(f"127.0.0.1:{port} (" for port in ports))


class QuotaTest(CtlCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        catalog = cls.server.write("catalog", catalogs.text(catalogs.small(instances=1)))
        cls.server.flags = (f"--catalog_file={catalog}",)
        cls.server.start()

    def test_4_refused_for_now_and_the_same_token_executes_when_there_is_room(self):
        first = self.ctl(RUN, outcome="executed").json["instances"][0]["instanceId"]
        token = new_token()
        refused = self.run_ctl(f"{RUN} --client-token {token} --timeout 9s")
        self.assertFails(refused, NOT_NOW, "QUOTA_EXCEEDED", "to run it again: ")
        self.ctl(f"terminate-instances --instance-ids {first}", outcome="executed")
        self.ctl(f"{RUN} --client-token {token}", outcome="executed")


class ManyInstanceTypesTest(CtlCase):
    """What the server says of a wrong type is bounded, so that the refusal arrives whole."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        catalog = catalogs.small()
        for number in range(200):
            catalog.instance_types.add(name=f"x{number}.some-long-name-of-an-instance-type", vcpus=1,
                                       instances_per_host=1)
        cls.server.flags = (f"--catalog_file={cls.server.write('catalog', catalogs.text(catalog))}",)
        cls.server.start()

    def test_2_refused_for_good_with_its_reason(self):
        refused = self.run_ctl(f"{RUN} --instance-type nope")
        self.assertFails(refused, REFUSED, "INVALID_PARAMETER", "instance_type", "m5.large", "more")


if __name__ == "__main__":
    unittest.main()
