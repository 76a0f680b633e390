"""EC2's API as its own clients call it: each effect once, however often they retry."""

import concurrent.futures
import json
import pathlib
import re
import signal
import subprocess
import threading
import unittest
import urllib.request

from api_keys import key_of, line_of
from case import IMAGE, OTHER_IMAGE, eventually
from ctl import HAPAXCTL, CtlCase
from cutting_proxy import CuttingProxy
from ec2_clients import JS_MODULES, aws, boto, environment, needs_aws, needs_js, needs_module, run_aws
from harness import Server
from protos import resources_pb2

SEED_KEY = "my-key-pair"


def without_request_id(xml: str) -> str:
    return re.sub("<requestId>[^<]*</requestId>", "", xml)


class Ec2Case(CtlCase):
    """A server with HTTP, whose callers are believed: the access key id is the tenant."""

    flags = ("--http_address=127.0.0.1:0",)

    @property
    def address(self) -> str:
        return self.server.http_address

    def proxy(self, **options) -> CuttingProxy:
        made = CuttingProxy(lambda: self.server.http_address, **options)
        self.addCleanup(made.close)
        return made

    def boto(self, address="", **options):
        client = boto(address or self.address, self.tenant, **options)
        self.addCleanup(client.close)
        return client

    def await_boots(self) -> None:
        eventually(lambda: all(i.state == resources_pb2.INSTANCE_STATE_RUNNING for i in self.instances()), "the boots")

    def get(self, query: str) -> tuple:
        with urllib.request.urlopen(f"http://{self.address}/?{query}", timeout=60) as reply:
            return reply.read().decode(), dict(reply.headers)


class RawTest(Ec2Case):
    def test_the_seeds_requests_are_answered_alike(self):
        for query in (f"Action=RunInstances&ImageId={OTHER_IMAGE}&MaxCount=1&MinCount=1&KeyName={SEED_KEY}&ClientToken=T",
                      f"Action=RunInstances&ImageId={OTHER_IMAGE}&MaxCount=1&MinCount=1&KeyName={SEED_KEY}"
                      "&Placement.AvailabilityZone=us-east-1d&ClientToken=T",
                      "Action=AllocateHosts&AvailabilityZone=us-east-1b&InstanceType=m5.large&Quantity=1&ClientToken=T"):
            query += f"&AWSAccessKeyId={self.tenant}"
            first, told = self.get(query)
            second, told_again = self.get(query)
            self.assertEqual(without_request_id(first), without_request_id(second))
            self.assertNotEqual(first, second)
            self.assertEqual((told["hapax-outcome"], told_again["hapax-outcome"]), ("executed", "replayed"))
            self.assertEqual(told_again["idempotent-replayed"], "true")
        self.assertEqual(len(self.instances()), 2)


@needs_aws
class CommandLineTest(Ec2Case):
    def aws(self, *words, address="", prefix=""):
        return aws(address or self.address, words, self.tenant, prefix)

    def test_a_launch_is_retried_after_the_server_was_killed(self):
        words = ("run-instances", "--image-id", IMAGE, "--count", "1", "--key-name", SEED_KEY, "--client-token", "T")
        first = self.aws(*words)
        self.server.kill()
        self.server.start()
        again = self.aws(*words)
        self.assertEqual(first["ReservationId"], again["ReservationId"])
        self.assertEqual(first["Instances"], again["Instances"])
        refused = run_aws(self.address, [*words[:3], "--count", "2", *words[5:]], self.tenant)
        self.assertEqual(refused.returncode, 254)
        self.assertIn("(IdempotentParameterMismatch) when calling the RunInstances operation", refused.stderr)
        self.assertEqual(len(self.instances()), 1)

    def test_a_launch_without_a_token_is_made_once_although_its_reply_is_lost(self):
        proxy = self.proxy()
        self.aws("run-instances", "--image-id", IMAGE, address=proxy.address)
        self.assertEqual(proxy.requests, 2)
        self.assertEqual(len(self.instances()), 1)

    def test_a_token_in_the_endpoint_makes_any_call_once(self):
        words = ("create-key-pair", "--key-name", "k", "--query", "KeyMaterial", "--output", "text")
        first = self.aws(*words, prefix="/with-client-token/T")
        self.assertIn("BEGIN RSA PRIVATE KEY", first)
        self.assertEqual(self.aws(*words, prefix="/with-client-token/T"), first)
        refused = run_aws(self.address, words, self.tenant)
        self.assertIn("(InvalidKeyPair.Duplicate)", refused.stderr)

    def test_pages_are_followed_and_what_is_not_honoured_is_refused(self):
        self.ctl(f"run-instances --image-id {IMAGE} --count 12")
        listed = self.aws("describe-instances", "--page-size", "5", "--query", "Reservations[].Instances[].InstanceId")
        self.assertEqual(len(set(listed)), 12)
        refused = run_aws(self.address, ["run-instances", "--image-id", IMAGE, "--user-data", "x"], self.tenant)
        self.assertEqual(refused.returncode, 254)
        self.assertIn("(UnsupportedOperation)", refused.stderr)
        self.assertIn("UserData", refused.stderr)
        self.assertEqual(len(self.instances()), 12)


@needs_module("boto3")
class Boto3Test(Ec2Case):
    def assertReplayedAtTheSecondAttempt(self, reply: dict) -> None:
        told = reply["ResponseMetadata"]
        self.assertEqual(told["HTTPHeaders"].get("hapax-outcome"), "replayed", told)
        self.assertEqual(told["RetryAttempts"], 1)

    def test_what_has_no_token_in_EC2_is_made_once_by_its_own_retries(self):
        instance = self.boto().run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        self.await_boots()
        for call in (lambda ec2: ec2.create_key_pair(KeyName="k", KeyType="ed25519"),
                     lambda ec2: ec2.allocate_hosts(InstanceType="m5.large", AvailabilityZone="us-east-1a", Quantity=1),
                     lambda ec2: ec2.stop_instances(InstanceIds=[instance]),
                     lambda ec2: ec2.terminate_instances(InstanceIds=[instance]),
                     lambda ec2: ec2.delete_key_pair(KeyName="k")):
            self.assertReplayedAtTheSecondAttempt(call(self.boto(self.proxy().address, retries="standard")))
        self.assertEqual(len(self.boto().describe_hosts()["Hosts"]), 1)

    def test_a_call_goes_on_over_a_server_that_is_killed_before_its_reply_arrives(self):
        cut, is_up = threading.Event(), threading.Event()

        def wait_for_restart():
            cut.set()
            is_up.wait(60)
        ec2 = self.boto(self.proxy(on_cut=wait_for_restart).address)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            reply = pool.submit(ec2.create_key_pair, KeyName="killed", KeyType="ed25519")
            self.assertTrue(cut.wait(60))
            self.server.kill()
            self.server.start()
            is_up.set()
            self.assertReplayedAtTheSecondAttempt(reply.result(60))
        self.assertIn("PRIVATE KEY", reply.result()["KeyMaterial"])

    def test_waiters_and_paginators_work(self):
        ec2 = self.boto()
        ids = [i["InstanceId"] for i in ec2.run_instances(
            ImageId=IMAGE, MinCount=25, MaxCount=25,
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web & <1>"}]}])["Instances"]]
        pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
        self.assertEqual(len(pages), 5)
        self.await_boots()
        ec2.get_waiter("instance_running").wait(InstanceIds=ids[:3])
        stopped = ec2.stop_instances(InstanceIds=ids[:2])["StoppingInstances"]
        self.assertEqual([change["CurrentState"]["Name"] for change in stopped], ["stopping", "stopping"])
        again = ec2.stop_instances(InstanceIds=ids[:1])["StoppingInstances"][0]
        self.assertEqual(again["PreviousState"], again["CurrentState"])
        shown = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web*"]}], InstanceIds=ids[:1])
        self.assertEqual(shown["Reservations"][0]["Instances"][0]["Tags"], [{"Key": "Name", "Value": "web & <1>"}])
        with self.assertRaisesRegex(Exception, "InvalidInstanceID.NotFound"):
            ec2.describe_instances(InstanceIds=["i-00000000000000000"])
        with self.assertRaisesRegex(Exception, "DryRunOperation"):
            ec2.terminate_instances(InstanceIds=ids, DryRun=True)


@needs_js
class JavaScriptTest(Ec2Case):
    def test_a_launch_without_a_token_is_made_once_although_its_reply_is_lost(self):
        script = """
            const { EC2Client, RunInstancesCommand } = require("@aws-sdk/client-ec2");
            const ec2 = new EC2Client({ endpoint: process.argv[1] });
            ec2.send(new RunInstancesCommand({ ImageId: process.argv[2], MinCount: 1, MaxCount: 1 }))
              .then((reply) => console.log(JSON.stringify(reply.$metadata)));
        """
        proxy = self.proxy()
        ended = subprocess.run(["node", "-e", script, f"http://{proxy.address}", IMAGE], capture_output=True, text=True,
                               timeout=60, env={**environment(self.tenant), "NODE_PATH": str(JS_MODULES),
                                                "AWS_REGION": "us-east-1"})
        self.assertEqual(json.loads(ended.stdout or "{}").get("attempts"), 2, ended.stderr)
        self.assertEqual(len(self.instances()), 1)


class SignatureTest(CtlCase):
    """A server that verifies who calls."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.keys = cls.server.dir / "access_keys"
        cls.writer = cls.make("team-a")
        cls.reader = cls.make("team-a", "--role", "read")
        cls.server.flags = ("--http_address=127.0.0.1:0", "--auth=api_key", f"--access_keys_file={cls.keys}",
                            f"--api_keys_file={cls.server.write('api_keys', line_of('team-b', 'b-1'))}")
        cls.server.start()

    @classmethod
    def make(cls, tenant: str, *words: str) -> tuple:
        """Has an access key made and adds its lines to the server's file; returns id and secret."""
        made = json.loads(subprocess.run(
            [HAPAXCTL, "admin", "new-access-key", tenant, "--access-keys-file", str(cls.keys), *words],
            capture_output=True, text=True, check=True).stdout)
        with cls.keys.open("a") as keys:
            keys.write("\n".join(made["lines"]) + "\n")
        cls.keys.chmod(0o600)
        return made["accessKeyId"], made["secretAccessKey"]

    def boto(self, key: tuple, **options):
        client = boto(self.server.http_address, *key, **options)
        self.addCleanup(client.close)
        return client

    def run_once(self, key: tuple, **options) -> dict:
        return self.boto(key, **options).run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, ClientToken="T")

    @needs_module("boto3")
    def test_a_signature_tells_the_tenant_and_the_role(self):
        self.assertEqual(self.run_once(self.writer)["OwnerId"], "team-a")
        self.assertEqual(len(self.boto(self.reader).describe_instances()["Reservations"]) > 0, True)
        for key, error in ((self.reader, "UnauthorizedOperation"), ((self.writer[0], "wrong"), "SignatureDoesNotMatch"),
                           (("HXAKUNKNOWNUNKNOWN00", "wrong"), "AuthFailure")):
            with self.assertRaisesRegex(Exception, error):
                self.run_once(key)
        with self.assertRaisesRegex(Exception, "UnauthorizedOperation"):
            self.boto(self.reader).run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, DryRun=True)
        with self.assertRaisesRegex(Exception, "DryRunOperation"):
            self.boto(self.writer).run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, DryRun=True)
        self.assertNotIn(self.writer[1], self.server.stderr)

    @needs_module("boto3")
    def test_an_api_key_is_taken_as_the_session_token(self):
        self.assertEqual(self.run_once(("any", "any"), token=key_of("b-1"))["OwnerId"], "team-b")
        with self.assertRaisesRegex(Exception, "AuthFailure"):
            self.run_once(("any", "any"), token=key_of("b-2"))

    @needs_module("boto3")
    def test_a_presigned_request_is_made_once(self):
        url = self.boto(self.writer).generate_presigned_url(
            "run_instances", Params={"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "ClientToken": "presigned"},
            HttpMethod="POST")
        bodies = [urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=60).read().decode()
                  for _ in range(2)]
        self.assertEqual(*map(without_request_id, bodies))
        self.assertEqual(bodies[0].count("<instanceId>"), 1)

    def test_curl_signs(self):
        ended = subprocess.run(["curl", "-sS", "--aws-sigv4", "aws:amz:eu-west-1:ec2", "--user", ":".join(self.writer),
                                "-d", f"Action=RunInstances&ImageId={IMAGE}&ClientToken=curl",
                                f"http://{self.server.http_address}/"], capture_output=True, text=True, timeout=60)
        self.assertIn("<availabilityZone>eu-west-1", ended.stdout, ended.stderr)

    @needs_module("libcloud")
    def test_libcloud_signs_by_version_2(self):
        from libcloud.compute.base import NodeImage, NodeSize
        from libcloud.compute.providers import get_driver
        from libcloud.compute.types import Provider
        host, port = self.server.http_address.split(":")
        driver = get_driver(Provider.EC2)(*self.writer, region="us-east-1", secure=False, host=host, port=int(port))
        image, size = NodeImage(IMAGE, IMAGE, driver), NodeSize("m5.large", "m5.large", 1, 1, 1, 1, driver)
        ids = {driver.create_node("n", image=image, size=size, ex_keyname=SEED_KEY, ex_clienttoken="libcloud").id
               for _ in range(2)}
        self.assertEqual(len(ids), 1)
        self.assertIn(ids.pop(), [node.id for node in driver.list_nodes()])

    @needs_module("boto3")
    def test_z_a_key_that_is_taken_from_the_file_is_refused_after_a_reload(self):
        kept = [line for line in self.keys.read_text().splitlines() if self.reader[0] not in line]
        pathlib.Path(self.keys).write_text("\n".join(kept) + "\n")
        self.server.signal(signal.SIGHUP)
        eventually(lambda: "reload: done" in self.server.stderr, "the reload")
        with self.assertRaisesRegex(Exception, "AuthFailure"):
            self.boto(self.reader).describe_instances()


if __name__ == "__main__":
    unittest.main()
