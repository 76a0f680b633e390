"""A second foreign client: `buf curl`, which knows nothing but what server reflection tells it. And what such tools
ask of a server first: reflection and health."""

import json
import os
import re
import subprocess
import unittest

import grpc

import wire
from case import ServerCase, new_token

BUF = os.environ.get("BUF")
SERVICE = "hapax.compute.v1.Compute"


@unittest.skipUnless(BUF, "BUF is not set to the path of buf")
class BufCurlTest(ServerCase):
    def curl(self, method: str, request: dict, *headers: str):
        """The reply, from JSON, and the response headers, lower case, of a call that succeeds."""
        flags = [flag for header in (f"x-tenant-id: {self.tenant}", *headers) for flag in ("-H", header)]
        ended = subprocess.run(
            [BUF, "curl", "-v", "--protocol", "grpc", "--http2-prior-knowledge", *flags, "-d", json.dumps(request),
             f"http://{self.server.address}/{SERVICE}/{method}"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        # Lines such as `buf: < (#3) Hapax-Outcome: executed`.
        received = re.findall(r"^(?:buf: )?< (?:\(#\d+\) )?([A-Za-z0-9-]+): (.*)$", ended.stderr, re.MULTILINE)
        return json.loads(ended.stdout), {name.lower(): value.strip() for name, value in received}

    def test_C9_C26_executed_then_replayed_as_the_same_json(self):
        request = {"clientToken": new_token(), "imageId": "ami-b232d0db", "minCount": 1, "maxCount": 1,
                   "keyName": "my-key-pair", "placement": {"availabilityZone": "us-east-1a"}}
        first, marks = self.curl("RunInstances", request)
        self.assertEqual((marks.get("hapax-outcome"), marks.get("idempotent-replayed")), ("executed", None))
        again, marks = self.curl("RunInstances", request)
        self.assertEqual((marks.get("hapax-outcome"), marks.get("idempotent-replayed")), ("replayed", "true"))
        self.assertEqual(again, first)
        (listed,) = self.curl("DescribeInstances", {})[0]["instances"]
        self.assertEqual(listed["reservationId"], first["reservationId"])

    def test_C1_the_token_as_a_header(self):
        request = {"availabilityZone": "eu-west-1a", "instanceType": "m5.large"}
        header = f"X-Client-Token: {new_token()}"
        first, marks = self.curl("AllocateHosts", request, header)
        self.assertEqual(marks.get("hapax-outcome"), "executed")
        again, marks = self.curl("AllocateHosts", request, header)
        self.assertEqual((again, marks.get("hapax-outcome")), (first, "replayed"))


class ReflectionAndHealthTest(ServerCase):
    def test_health(self):
        with grpc.insecure_channel(self.server.address) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            for service in ("", SERVICE):
                self.assertEqual(check(wire.text(1, service), timeout=20), wire.number(1, 1), service)  # SERVING
            with self.assertRaises(grpc.RpcError) as unknown:
                check(wire.text(1, "no.such.Service"), timeout=20)
            self.assertEqual(unknown.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_reflection(self):
        with grpc.insecure_channel(self.server.address) as channel:
            reflect = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            listed, described = reflect(iter([wire.text(7, "*"), wire.text(4, SERVICE)]), timeout=20)
            self.assertIn(wire.text(1, SERVICE), listed)
            self.assertIn(b"hapax/compute/v1/compute.proto", described)


if __name__ == "__main__":
    unittest.main()
