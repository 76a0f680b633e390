"""hapaxctl: every verb, the forms of output, waiting, who is calling, and completion."""

import json
import os
import pty
import re
import select
import subprocess
import time
import unittest

import api_keys
from case import IMAGE, OTHER_IMAGE, eventually
from ctl import DONE, NOT_NOW, OPEN, REFUSED, CtlCase, free_port
from harness import Server

RUN = f"run-instances --image-id {IMAGE}"


class VerbsTest(CtlCase):
    def launch(self, *more: str) -> list:
        reply = self.ctl(*RUN.split(), *more, outcome="executed").json
        return [instance["instanceId"] for instance in reply["instances"]]

    def until(self, instance_id: str, state: str) -> None:
        eventually(lambda: self.ctl(f"describe-instances --instance-ids {instance_id}").json["instances"][0]["state"]
                   == f"INSTANCE_STATE_{state}", f"{instance_id} {state}")

    def test_run_instances_with_every_flag(self):
        reply = self.ctl(
            "run-instances", "--image-id", OTHER_IMAGE, "--count", "1:2", "--instance-type", "m5.xlarge", "--key-name",
            "my-key-pair", "--subnet-id", self.subnet_in("us-east-1b"), "--placement", "AvailabilityZone=us-east-1b",
            "--tag-specifications", "ResourceType=instance,Tags=[{Key=team,Value=a},{Key=note,Value='x, y'}]",
            "--region", "us-east-1", outcome="executed").json
        self.assertEqual(len(reply["instances"]), 2)
        instance = reply["instances"][0]
        self.assertEqual(instance["tags"], {"team": "a", "note": "x, y"})
        self.assertEqual((instance["instanceType"], instance["availabilityZone"]), ("m5.xlarge", "us-east-1b"))

    def test_describe_instances_filters_and_pages(self):
        ids = sorted(self.launch("--count", "5", "--client-token", "five"))
        self.launch("--tag-specifications", "ResourceType=instance,Tags=[{Key=team,Value=b}]")
        listed = self.ctl("describe-instances --client-token five --page-size 2").json
        self.assertEqual([instance["instanceId"] for instance in listed["instances"]], ids)
        self.assertEqual(listed["nextPageToken"], "")
        first = self.ctl("describe-instances --client-token five --max-items 3").json
        self.assertEqual(len(first["instances"]), 3)
        rest = self.ctl(f"describe-instances --client-token five --starting-token {first['nextPageToken']}").json
        self.assertEqual([i["instanceId"] for i in first["instances"] + rest["instances"]], ids)
        filtered = self.ctl(
            "describe-instances --filters Name=tag:team,Values=a,b Name=instance-type,Values=m5.large "
            f"--filters Name=image-id,Values={IMAGE}").json
        self.assertEqual(len(filtered["instances"]), 1)
        by_id = self.ctl(f"describe-instances --instance-ids {ids[0]} {ids[1]}").json
        self.assertEqual(len(by_id["instances"]), 2)
        self.assertEqual(self.ctl("describe-instances --region eu-west-1").json["instances"], [])

    def test_parameters_in_every_form_of_the_aws_cli(self):
        tags = [{"Key": "path", "Value": "C:\\Users\\new"}, {"Key": "list", "Value": "a,b"}]
        shorthand = r"""ResourceType = instance , Tags = [{Key=path,Value="C:\Users\new"}, {Key=list , Value=a\,b}]"""
        specification = {"ResourceType": "instance", "Tags": tags}
        whole = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "ClientToken": "forms", "TagSpecifications": [specification]}
        file = self.server.write("whole.json", json.dumps(whole))
        image = self.server.write("image", f"{IMAGE}\n")
        first = self.ctl(*RUN.split(), "--client-token", "forms", "--tag-spec", shorthand, outcome="executed")
        self.assertEqual(first.json["instances"][0]["tags"], {tag["Key"]: tag["Value"] for tag in tags})
        for words in (
                (*RUN.split(), "--count", "1", "--client-token", "forms", "--tag-specifications", json.dumps([specification])),
                (*RUN.split(), "--client-token=forms", f"--tag-specifications={json.dumps(specification)}"),
                ("run-instances", "--cli-input-json", f"file://{file}"),
                ("ec2", "run-instances", "--cli-input-json", json.dumps({**whole, "ImageId": "ami-none"}), "--image-id",
                 f"file://{image}")):
            self.assertEqual(self.ctl(*words, outcome="replayed").out, first.out)
        listed = {"Filters": [{"Name": "tag:path", "Values": [r"C:\\Users\\n?w"]}]}
        for words in (("--filters", r"Name=tag:list,Values=a*"), ("--filter", '[{"Name": "tag-key", "Values": ["p*h"]}]'),
                      ("--cli-input-json", json.dumps(listed)),
                      ("--instance-ids", json.dumps([first.json["instances"][0]["instanceId"]]))):
            self.assertEqual(len(self.ctl("describe-instances", *words).json["instances"]), 1, words)
        url = f"http://{self.server.address}/"
        proxied = {"HAPAX_ENDPOINT": "127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
        self.assertEqual(len(self.ctl(f"describe-instances --endpoint-url {url}", env=proxied).json["instances"]), 1)

    def test_query_and_text(self):
        ids = sorted(self.launch("--count", "2", "--client-token", "two"))
        listed = "describe-instances --client-token two"
        self.assertEqual(self.ctl(f"{listed} --query instances[].instanceId").json, ids)
        self.assertEqual(self.ctl(f"{listed} --query instances[].instanceId --output text").out, "\t".join(ids) + "\n")
        self.assertEqual(self.ctl(f"{listed} --query 'instances[?imageId==`none`]' --output text").out, "")
        first, token = self.ctl(f"{listed} --max-items 1 --output text").out.splitlines()
        self.assertTrue(first.startswith("INSTANCES\t") and f"\t{ids[0]}\t" in first, first)
        again = self.ctl("describe-instances", "--client-token", "two", "--query", "instances[0].instanceId", "--output",
                         "text", "--starting-token", token.removeprefix("NEXTTOKEN\t"))
        self.assertEqual(again.out, f"{ids[1]}\n")
        key = self.ctl("create-key-pair --key-name q --query keyMaterial --output text").out
        self.assertTrue(key.startswith("-----BEGIN") and key.endswith("-----\n\n"), key)
        wrong = self.run_ctl(f"{RUN} --client-token wrong --query length(ownerId[0])")
        self.assertFails(wrong, OPEN, "--query: length(): argument 1", "--client-token wrong")
        self.ctl(f"{RUN} --client-token wrong", outcome="replayed")

    def test_stop_start_and_terminate_several_with_one_token(self):
        ids = self.launch("--count", "2")
        for instance_id in ids:
            self.until(instance_id, "RUNNING")
        line = f"stop-instances --instance-ids {' '.join(ids)} --client-token stop-both"
        stopped = self.ctl(f"{line} --wait", outcome="executed").json["operations"]
        self.assertEqual([operation["done"] for operation in stopped], [True, True])
        self.assertEqual([operation["metadata"]["instanceId"] for operation in stopped], ids)
        again = self.ctl(line)
        self.assertEqual(again.err.count(": replayed; "), 2)
        self.assertEqual([operation["name"] for operation in again.json["operations"]],
                         [operation["name"] for operation in stopped])
        started = self.ctl(f"start-instances --instance-ids {ids[0]} --client-token start-one --wait").json
        self.assertEqual(started["operations"][0]["response"]["state"], "INSTANCE_STATE_RUNNING")
        self.assertEqual(self.ctl("token get start-one").json["method"], "hapax.compute.v1.Compute/StartInstance")
        changes = self.ctl("terminate-instances", "--instance-ids", *ids, outcome="executed").json
        self.assertEqual([change["instanceId"] for change in changes["terminatingInstances"]], ids)

    def test_of_several_the_one_that_fails_decides_the_code_and_the_others_are_printed(self):
        (good,) = self.launch()
        self.until(good, "RUNNING")
        ended = self.run_ctl(f"stop-instances --instance-ids i-00000000000000000 {good}")
        self.assertEqual(ended.code, REFUSED, ended)
        self.assertIn("stop-instances i-00000000000000000: INSTANCE_NOT_FOUND", ended.err)
        self.assertEqual(len(ended.json["operations"]), 1)

    def test_hosts(self):
        line = ("allocate-hosts --availability-zone us-east-1a --instance-type m5.large --quantity 2 "
                "--auto-placement off --tag-specifications ResourceType=dedicated-host,Tags=[{Key=k,Value=v}]")
        ids = self.ctl(line, outcome="executed").json["hostIds"]
        placed = self.ctl(f"{RUN} --placement Tenancy=host,HostId={ids[0]},AvailabilityZone=us-east-1a").json
        self.assertEqual(placed["instances"][0]["hostId"], ids[0])
        listed = self.ctl(f"describe-hosts --host-ids {ids[1]} --filters Name=tag:k,Values=v").json["hosts"]
        self.assertEqual([host["hostId"] for host in listed], [ids[1]])
        self.assertEqual(self.ctl(f"release-hosts --host-ids {ids[1]}", outcome="executed").json["hostIds"], [ids[1]])

    def test_C25_key_pairs(self):
        line = "create-key-pair --key-name pair --key-type rsa --client-token k"
        made = self.ctl(line, outcome="executed")
        self.assertIn("-----BEGIN RSA PRIVATE KEY-----", made.json["keyMaterial"])
        self.assertEqual(self.ctl(line, outcome="replayed").out, made.out)
        self.assertNotIn("PRIVATE", made.err)
        (listed,) = self.ctl("describe-key-pairs --key-names pair").json["keyPairs"]
        self.assertEqual((listed["keyPairId"], listed["keyType"]), (made.json["keyPairId"], "KEY_TYPE_RSA"))
        deleted = self.ctl("delete-key-pair --key-name pair", outcome="executed").json
        self.assertEqual(deleted["keyPairId"], made.json["keyPairId"])

    def test_places(self):
        subnets = self.ctl("describe-subnets --page-size 1").json["subnets"]
        self.assertEqual(len(subnets), 6)
        zones = self.ctl("describe-availability-zones --region eu-west-1").json["availabilityZones"]
        self.assertEqual([zone["zoneName"] for zone in zones], ["eu-west-1a", "eu-west-1b", "eu-west-1c"])

    def test_C28_tokens(self):
        self.launch("--placement", "AvailabilityZone=us-east-1a", "--client-token", "zonal")
        self.assertEqual(self.ctl("token get zonal").json["state"], "TOKEN_STATE_FREE")
        found = self.ctl("token get zonal --availability-zone us-east-1a").json
        self.assertEqual(found["reply"]["@type"], "type.googleapis.com/hapax.compute.v1.RunInstancesResponse")
        (listed,) = self.ctl("token list --client-token zonal").json["tokens"]
        self.assertEqual(listed["availabilityZone"], "us-east-1a")
        late = self.ctl("token abandon zonal --availability-zone us-east-1a")
        self.assertEqual((late.json["state"], late.json["reply"]), ("TOKEN_STATE_EXECUTED", found["reply"]))
        self.assertIn("too late", late.err)
        self.assertEqual(self.ctl("token abandon never").json["state"], "TOKEN_STATE_ABANDONED")
        self.assertEqual(self.ctl("token policy").json["maxTokenLength"], 64)

    def test_operations(self):
        (instance_id,) = self.launch()
        self.until(instance_id, "RUNNING")
        (operation,) = self.ctl(f"stop-instances --instance-ids {instance_id}").json["operations"]
        name = operation["name"]
        self.assertTrue(self.ctl(f"operation wait {name.removeprefix('operations/')}").json["done"])
        self.assertEqual(self.ctl(f"operation get {name}").json["response"]["instanceId"], instance_id)
        self.assertEqual(self.ctl("operation list --done false").json["operations"], [])
        self.assertEqual(len(self.ctl("operation list").json["operations"]), 1)

    def test_a_table_has_a_row_for_each_and_aligned_columns(self):
        ids = sorted(self.launch("--count", "2"))
        header, *rows = self.ctl("describe-instances --output table").out.splitlines()
        self.assertEqual([row.split()[0] for row in rows], ids)
        for name in ("INSTANCE_ID", "STATE", "LAUNCH_TIME"):
            start = header.index(name)
            for row in rows:
                self.assertEqual(row[start - 1:start].strip(), "")
                self.assertNotEqual(row[start], " ")
        self.assertRegex(rows[0], r" [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}Z ")

    def test_version_and_help(self):
        self.assertRegex(self.ctl("--version").out, r"^hapaxctl [0-9]+\.[0-9]+\.[0-9]+\n$")
        self.assertIn("Exit codes:", self.ctl("--help").out)
        for verb in ("run-instances", "token get", "operation wait", "resume", "completion bash"):
            self.assertIn("Example:\n  hapaxctl ", self.ctl(f"{verb} --help").out)


class WaitTest(CtlCase):
    """A hypervisor slow enough to see."""

    @classmethod
    def setUpClass(cls):
        cls.flags = (f"--listen_address=127.0.0.1:{free_port()}", "--simulated_boot_latency=3s")
        super().setUpClass()

    def running_instance(self) -> str:
        instance_id = self.ctl(RUN).json["instances"][0]["instanceId"]
        eventually(lambda: self.instances()[0].state == 2, "it runs")
        return instance_id

    def test_C14_waiting_goes_on_over_a_restart_of_the_server(self):
        instance_id = self.running_instance()
        waiting = self.start_ctl("stop-instances", "--instance-ids", instance_id, "--wait", text=True)
        eventually(lambda: self.instances()[0].state == 5, "it stops")
        self.server.kill()
        time.sleep(1)  # Attempts of the client that find nobody.
        self.server.start()
        out, err = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, DONE, err)
        self.assertIn("INSTANCE_STATE_STOPPED", out)
        self.assertEqual(len(err.splitlines()), 2, err)  # The token, and the outcome: no progress for a file.

    def test_4_not_done_in_time_and_the_same_token_waits_on(self):
        line = f"stop-instances --instance-ids {self.running_instance()} --client-token t --wait"
        early = self.run_ctl(f"{line} --timeout 2s")
        self.assertEqual((early.code, early.json["operations"][0]["done"]), (NOT_NOW, False), early)
        self.assertIn("not done within 2s", early.err)
        self.assertTrue(self.ctl(line, outcome="replayed").json["operations"][0]["done"])

    def test_a_terminal_sees_progress(self):
        instance_id = self.running_instance()
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        waiting = self.start_ctl("stop-instances", "--instance-ids", instance_id, "--wait", stderr=theirs)
        os.close(theirs)
        seen = b""
        while waiting.poll() is None or select.select([ours], [], [], 0)[0]:
            try:
                if select.select([ours], [], [], 1)[0]:
                    seen += os.read(ours, 4096)
            except OSError:
                break  # Its other end is closed.
        self.assertEqual(waiting.wait(timeout=60), DONE)
        self.assertRegex(seen.decode(), rf"\r[0-9]+s  {instance_id}  stopping")


class ApiKeyTest(CtlCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        keys = cls.server.write("keys", api_keys.line_of("alice", "one"))
        cls.server.flags = ("--auth=api_key", f"--api_keys_file={keys}")
        cls.server.start()

    def test_the_key_comes_from_a_file_a_variable_or_a_flag(self):
        key = api_keys.key_of("one")
        file = self.server.write("alice", f"{key}\n")
        for position, (flags, env) in enumerate((
                (["--api-key-file", file], {}),
                ([], {"HAPAX_API_KEY_FILE": file}),
                ([], {"HAPAX_API_KEY": key}),
                (["--api-key", key], {"HAPAX_API_KEY": "other"}),
                (["--api-key-file", file], {"HAPAX_API_KEY": "other"}))):
            reply = self.ctl(*flags, *RUN.split(), env=env).json
            self.assertEqual(reply["ownerId"], "alice", position)

    def test_2_another_key_is_refused_and_not_shown(self):
        ended = self.run_ctl(RUN, env={"HAPAX_API_KEY": "mallory-key"})
        self.assertFails(ended, REFUSED, "UNAUTHENTICATED")
        self.assertNotIn("mallory-key", ended.err)


class CompletionTest(CtlCase):
    def complete(self, *words: str) -> list:
        """What bash offers for the last word."""
        script = self.ctl("completion bash").out
        typed = " ".join(f"'{word}'" for word in words)
        asked = (f"{script}\nCOMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _hapaxctl\n"
                 "printf '%s\\n' \"${COMPREPLY[@]}\"")
        ended = subprocess.run(["bash", "-uc", asked], capture_output=True, text=True, timeout=60)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        return ended.stdout.split()

    def test_verbs(self):
        self.assertEqual(self.complete("hapaxctl", "run"), ["run-instances"])
        self.assertEqual(self.complete("hapaxctl", "ec2", "allocate"), ["allocate-hosts"])
        self.assertEqual(self.complete("hapaxctl", "--output", "table", "token", "ab"), ["abandon"])
        every = self.complete("hapaxctl", "")
        verbs = self.ctl("--help").out.partition("Subcommands:")[2].partition("Example:")[0]
        listed = re.findall(r"^  ([a-z][a-z0-9-]+) ", verbs, re.M)
        self.assertEqual(set(listed) - set(every), set())
        self.assertGreater(len(listed), 15)

    def test_flags_those_of_the_verb_and_those_of_all(self):
        self.assertEqual(self.complete("hapaxctl", "run-instances", "--tag"), ["--tag-specifications"])
        self.assertEqual(self.complete("hapaxctl", "ec2", "run-instances", "--endp"),
                         ["--endpoint", "--endpoint-url"])
        self.assertEqual(self.complete("hapaxctl", "describe-subnets", "--tag"), [])

    def test_the_words_of_a_choice(self):
        self.assertEqual(self.complete("hapaxctl", "allocate-hosts", "--auto-placement", ""), ["on", "off"])
        self.assertEqual(self.complete("hapaxctl", "describe-hosts", "--output", "t"), ["table", "text"])
        self.assertEqual(self.complete("hapaxctl", "create-key-pair", "--key-type", ""), ["ed25519", "rsa"])
        self.assertEqual(self.complete("hapaxctl", "run-instances", "--image-id", ""), [])


if __name__ == "__main__":
    unittest.main()
