"""The examples, built as a stranger builds them: separate projects, against the installed package. The payments service
charges once (C9, C10, C11, C14); the cluster job does no step twice, however often it dies."""

import concurrent.futures
import importlib
import pathlib
import re
import sys
import tempfile
import unittest

from grpc import StatusCode

from case import ContractCase, new_token
from client import Client
from harness import Server
from installed import FLAVOURS, ROOT, Project, install, libraries_of, run
from protos import PROTO

CHARGE = "/payments.v1.Payments/Charge"
GET_ACCOUNT = "/payments.v1.Payments/GetAccount"


class PaymentsServer(Server):
    @property
    def _all_flags(self) -> tuple:
        return ("127.0.0.1:0", str(self.data_dir))


class ExamplesTest(ContractCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="hapax-examples-")
        cls.addClassCleanup(scratch.cleanup)
        cls.dir = pathlib.Path(scratch.name)
        cls.prefix = cls.dir / "prefix"
        install(cls.prefix)
        cls.programs = {}
        for name in ("host_your_own", "call_hapax"):
            project = Project(ROOT / "examples" / name, cls.dir, cls.prefix)
            for flavour in FLAVOURS:
                built = project.build(flavour)
                cls.programs[name, flavour] = built / ("payments" if name == "host_your_own" else "cluster")
        generated = cls.dir / "python"
        generated.mkdir()
        run("protoc", f"-I{ROOT}/examples/host_your_own/proto", f"-I{PROTO}", f"--python_out={generated}",
            "payments/v1/payments.proto")
        sys.path.insert(0, str(generated))
        cls.addClassCleanup(sys.path.remove, str(generated))
        cls.pb = importlib.import_module("payments.v1.payments_pb2")

    def payments(self, flavour: str = "static") -> PaymentsServer:
        server = PaymentsServer(program=str(self.programs["host_your_own", flavour]))
        self.addCleanup(server.close)
        return server.start()

    def client(self, server) -> Client:
        client = Client(server, "shop")
        self.addCleanup(client.close)
        return client

    def charge(self, token: str, cents: int = 100, account: str = "anna"):
        return self.pb.ChargeRequest(client_token=token, account=account, cents=cents)

    def account(self, client: Client):
        reply = client.call(GET_ACCOUNT, self.pb.GetAccountRequest(account="anna"))
        self.assertTrue(reply.ok, reply)
        return self.pb.GetAccountResponse.FromString(reply.raw).account

    def test_each_is_linked_with_the_libraries_of_its_flavour(self):
        for (name, flavour), program in self.programs.items():
            with self.subTest(f"{name} {flavour}"):
                self.assertEqual("[libhapax_common.so." in libraries_of(program), flavour == "shared")

    def test_C9_C10_C14_the_payments_service_charges_once(self):
        for flavour in FLAVOURS:
            with self.subTest(flavour):
                self.charge_once(self.payments(flavour))

    def charge_once(self, server: PaymentsServer):
        client = self.client(server)
        first = self.assertOutcome(client.call(CHARGE, self.charge("order-1")), "executed")
        again = self.assertOutcome(client.call(CHARGE, self.charge("order-1")), "replayed")
        self.assertEqual(again.raw, first.raw)
        other = client.call(CHARGE, self.charge("order-1", cents=200))
        self.assertEqual((other.code, other.reason), (StatusCode.INVALID_ARGUMENT, "IDEMPOTENT_PARAMETER_MISMATCH"))
        self.assertIn("cents", other.message)
        self.assertEqual(client.call(CHARGE, self.charge("order-2", cents=0)).reason, "INVALID_PARAMETER")
        self.assertOutcome(client.call(CHARGE, self.charge("order-2")), "executed")
        server.kill()
        server.start()
        again = self.assertOutcome(client.call(CHARGE, self.charge("order-1")), "replayed")
        self.assertEqual(again.raw, first.raw)
        self.assertEqual((self.account(client).charges, self.account(client).total_cents), (2, 200))
        server.stop()

    def test_C11_of_duplicate_charges_at_once_one_is_made(self):
        server = self.payments()
        client = self.client(server)
        tokens = [new_token() for _ in range(20)] * 10
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            replies = list(pool.map(lambda token: (token, client.call(CHARGE, self.charge(token))), tokens))
        outcomes = [reply.outcome for _, reply in replies]
        self.assertEqual((outcomes.count("executed"), outcomes.count("replayed")), (20, 180))
        self.assertEqual(len({(token, reply.raw) for token, reply in replies}), 20)
        self.assertEqual(self.account(client).charges, 20)

    def cluster(self, server, job: str, flavour: str = "static") -> list:
        """What a run of the job says, as (resource id, outcome)."""
        said = run(self.programs["call_hapax", flavour], server.address, self.dir / f"{job}.journal", job, 3)
        return re.findall(r"^(?:host|instance) (\S+): (\w+)$", said, re.MULTILINE)

    def test_C9_the_cluster_job_does_no_step_twice(self):
        server = Server(program=str(self.prefix / "bin" / "hapaxd"))
        self.addCleanup(server.close)
        server.start()
        first = self.cluster(server, "blue")
        self.assertEqual([outcome for _, outcome in first], ["executed"] * 4)
        server.kill()
        server.start()
        for flavour in FLAVOURS:
            self.assertEqual(self.cluster(server, "blue", flavour), [(name, "replayed") for name, _ in first])
        self.assertEqual([outcome for _, outcome in self.cluster(server, "green")], ["executed"] * 4)


if __name__ == "__main__":
    unittest.main()
