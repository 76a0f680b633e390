"""Makes golden/data_v2.tar.gz: a data directory as this version writes it, its seal keys, and what was answered, for
golden_test.py to open with every later version.

    HAPAXD=build/release/hapaxd python3 tests/e2e/make_golden.py

It is made once for each format version, by the last server that writes it, and then stays as it is."""

import base64
import json
import pathlib
import sys
import tarfile
import time

from case import abandon_token, eventually, hosts, keypair, run, terminate, uuid7
from client import Client
from harness import Server
from protos import compute_pb2, operations_pb2, resources_pb2, tokens_pb2

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden" / "data_v2.tar.gz"
TENANT = "golden"
# The longest there is: in ten years the golden directory's tokens expire.
KEPT = ("--token_retention=87600h", "--token_tombstone_retention=87600h", "--simulated_boot_latency=1ms")
EXPIRED = ("--token_retention=1ms", "--token_tombstone_retention=87600h", "--simulated_boot_latency=1ms")


class Recorder:
    """Makes calls and remembers them, with what they are answered."""

    def __init__(self, server: Server):
        self.server = server
        self.calls = []
        self.client = None

    def start(self, *flags: str) -> None:
        self.server.flags = flags
        self.server.start()
        self.client = Client(self.server, TENANT)

    def call(self, kind: str, method: str, request, metadata=()):
        """`kind`: what a retry is to come to."""
        reply = self.client.call(method, request, metadata=metadata)
        if not reply.ok:
            sys.exit(f"{method}: {reply}")
        self.calls.append({"kind": kind, "method": method, "metadata": list(metadata),
                           "request": base64.b64encode(request.SerializeToString()).decode(),
                           "reply": base64.b64encode(reply.raw).decode()})
        return reply.parsed

    def await_state(self, instance_id: str, state: int) -> None:
        request = compute_pb2.DescribeInstancesRequest(instance_ids=[instance_id])
        eventually(lambda: self.client.call("DescribeInstances", request).parsed.instances[0].state == state,
                   f"{instance_id} in state {state}")


def record(recorder: Recorder) -> None:
    recorder.start(*EXPIRED)
    recorder.call("expired", "RunInstances", run("expired"))
    recorder.server.stop()

    recorder.start(*KEPT)
    first = recorder.call("verbatim", "RunInstances", run("regional", min_count=2, tags={"name": "golden"}))
    recorder.call("verbatim", "RunInstances", run("zonal", zone="us-east-1a"))
    recorder.call("verbatim", "RunInstances", run(uuid7(time.time()), zone="eu-west-1b"))
    recorder.call("verbatim", "RunInstances", run(), metadata=(("idempotency-key", "\"in-metadata\""),))
    recorder.call("verbatim", "AllocateHosts", hosts("hosts", quantity=2))
    recorder.call("verbatim", "CreateKeypair", keypair("ed25519", "ed25519"))
    recorder.call("verbatim", "CreateKeypair", keypair("rsa", "rsa", key_type=resources_pb2.KEY_TYPE_RSA))
    stopped, terminated = (instance.instance_id for instance in first.instances)
    recorder.await_state(stopped, resources_pb2.INSTANCE_STATE_RUNNING)
    recorder.call("operation", "StopInstance", compute_pb2.StopInstanceRequest(client_token="stop", instance_id=stopped))
    recorder.await_state(stopped, resources_pb2.INSTANCE_STATE_STOPPED)
    recorder.client.call("TerminateInstances", terminate(terminated))
    recorder.await_state(terminated, resources_pb2.INSTANCE_STATE_TERMINATED)
    # What is above comes to be in tables, what is below in a log.
    recorder.server.kill()

    recorder.start(*KEPT)
    abandon_token(recorder.client, "abandoned")
    recorder.calls.append({"kind": "abandoned", "method": "RunInstances", "metadata": [], "reply": "",
                           "request": base64.b64encode(run("abandoned").SerializeToString()).decode()})
    recorder.call("verbatim", "CreateKeypair", keypair("in-log", "in-log"))
    recorder.call("operation", "StartInstance",
                  compute_pb2.StartInstanceRequest(client_token="start", instance_id=stopped))
    recorder.await_state(stopped, resources_pb2.INSTANCE_STATE_RUNNING)
    for method, request in (("DescribeInstances", compute_pb2.DescribeInstancesRequest()),
                            ("DescribeHosts", compute_pb2.DescribeHostsRequest()),
                            ("DescribeKeypairs", compute_pb2.DescribeKeypairsRequest()),
                            ("/google.longrunning.Operations/ListOperations", operations_pb2.ListOperationsRequest()),
                            ("/hapax.idempotency.v1.Tokens/ListTokens", tokens_pb2.ListTokensRequest())):
        recorder.call("list", method, request)
    recorder.server.kill()


def main() -> None:
    server = Server()
    try:
        recorder = Recorder(server)
        record(recorder)
        calls = server.dir / "calls.json"
        calls.write_text(json.dumps(recorder.calls, indent=1))
        (server.data_dir / "LOCK").unlink()
        with tarfile.open(GOLDEN, "w:gz") as archive:
            for path in (server.data_dir, server.seal_key_file, calls):
                archive.add(path, arcname=path.name)
    finally:
        server.close()
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes, {len(recorder.calls)} calls")


if __name__ == "__main__":
    main()
