"""The examples, built as a stranger builds them: separate projects, against the installed package. The payments service
charges once (C9, C10, C11, C14); the provision service makes a database once, after the call (C14, C24); the cluster
job does no step twice, however often it dies; the accounts service pays once into SQL tables of its own (C9)."""

import concurrent.futures
import importlib
import json
import pathlib
import re
import sys
import tempfile
import threading
import unittest

from grpc import StatusCode

from case import ContractCase, eventually, new_token
from client import Client
from harness import Server
from installed import FLAVOURS, ROOT, Project, install, libraries_of, run
from postgres import Postgres, program as postgres_program
from protos import PROTO, operations_pb2

CHARGE = "/payments.v1.Payments/Charge"
GET_ACCOUNT = "/payments.v1.Payments/GetAccount"
PAY = "/accounts.v1.Accounts/Pay"
CREATE_DATABASE = "/provision.v1.Provisioner/CreateDatabase"
GET_DATABASE = "/provision.v1.Provisioner/GetDatabase"
WAIT_OPERATION = "/google.longrunning.Operations/WaitOperation"


class PaymentsServer(Server):
    @property
    def receipts(self) -> pathlib.Path:
        return self.dir / "receipts"

    @property
    def _all_flags(self) -> tuple:
        return ("127.0.0.1:0", str(self.data_dir), str(self.receipts))


class ProvisionServer(Server):
    @property
    def disk(self) -> pathlib.Path:
        return self.dir / "disk"

    @property
    def _all_flags(self) -> tuple:
        return ("127.0.0.1:0", str(self.data_dir), str(self.disk))


class AccountsServer(Server):
    database = None

    @property
    def _all_flags(self) -> tuple:
        seal_keys = self.dir / "seal_keys"
        seal_keys.write_text("key-1 " + "5a" * 32 + "\n")
        seal_keys.chmod(0o600)
        return ("127.0.0.1:0", str(self.database.conninfo_file), str(seal_keys), "server-1")


class ExamplesTest(ContractCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="hapax-examples-")
        cls.addClassCleanup(scratch.cleanup)
        cls.dir = pathlib.Path(scratch.name)
        cls.prefix = cls.dir / "prefix"
        install(cls.prefix)
        cls.programs, cls.own_tests = {}, {}
        for name, program in (("host_your_own", "payments"), ("provision", "provision"), ("call_hapax", "cluster")):
            project = Project(ROOT / "examples" / name, cls.dir, cls.prefix)
            for flavour in FLAVOURS:
                cls.programs[name, flavour] = project.build(flavour) / program
                # The example's own tests; those of the services use the test kit of the installed package.
                cls.own_tests[name, flavour] = run("ctest", "--test-dir", project.build_dir, "--output-on-failure")
        # It has no tests without a database.
        accounts = Project(ROOT / "examples" / "host_your_own_sql", cls.dir, cls.prefix)
        cls.accounts_program = accounts.build("shared") / "accounts"
        generated = cls.dir / "python"
        generated.mkdir()
        run("protoc", f"-I{ROOT}/examples/host_your_own/proto", f"-I{ROOT}/examples/provision/proto",
            f"-I{ROOT}/examples/host_your_own_sql/proto", f"-I{PROTO}", f"--python_out={generated}",
            "payments/v1/payments.proto", "provision/v1/provision.proto", "accounts/v1/accounts.proto")
        sys.path.insert(0, str(generated))
        cls.addClassCleanup(sys.path.remove, str(generated))
        cls.pb = importlib.import_module("payments.v1.payments_pb2")
        cls.provision_pb = importlib.import_module("provision.v1.provision_pb2")
        cls.accounts_pb = importlib.import_module("accounts.v1.accounts_pb2")

    def test_each_has_tests_of_its_own_that_pass(self):
        for example, said in self.own_tests.items():
            with self.subTest(example):
                self.assertIn("100% tests passed, 0 tests failed out of 1", said)

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

    def create(self, client: Client, token: str, name: str, outcome: str):
        request = self.provision_pb.CreateDatabaseRequest(client_token=token, name=name)
        reply = self.assertOutcome(client.call(CREATE_DATABASE, request), outcome)
        return operations_pb2.Operation.FromString(reply.raw)

    def database_state(self, client: Client, name: str) -> str:
        reply = client.call(GET_DATABASE, self.provision_pb.GetDatabaseRequest(name=name))
        self.assertTrue(reply.ok, reply)
        state = self.provision_pb.GetDatabaseResponse.FromString(reply.raw).database.state
        return self.provision_pb.DatabaseState.Name(state).removeprefix("DATABASE_STATE_")

    def work_status(self, server) -> dict:
        return json.loads(run(self.prefix / "bin" / "hapaxctl", "--endpoint", server.address, "admin", "status",
                              "--output", "json"))

    def test_C14_C24_the_provision_service_makes_a_database_after_the_call(self):
        server = ProvisionServer(program=str(self.programs["provision", "shared"]))
        self.addCleanup(server.close)
        client = self.client(server.start())
        # There is no disk yet: the work waits, over a crash too.
        begun = self.create(client, "first", "orders", "executed")
        self.assertFalse(begun.done)
        (piece,) = eventually(lambda: self.work_status(server)["workPieces"], "the piece that waits")
        self.assertEqual((piece["kind"], piece["state"]), ("provision.create", "WORK_STATE_WAITING"))
        self.assertIn("No such file or directory", piece["lastError"])
        self.assertEqual(self.database_state(client, "orders"), "CREATING")
        server.kill()
        server.start()
        self.assertEqual(self.create(client, "first", "orders", "replayed"), begun)
        server.disk.mkdir()
        request = operations_pb2.WaitOperationRequest(name=begun.name)
        request.timeout.FromSeconds(100)
        ended = client.call(WAIT_OPERATION, request).parsed
        self.assertTrue(ended.done)
        made = self.provision_pb.Database()
        self.assertTrue(ended.response.Unpack(made), ended)
        self.assertEqual(made.name, "orders")
        self.assertEqual([path.name for path in server.disk.iterdir()], ["shop.orders"])
        self.assertEqual(self.database_state(client, "orders"), "READY")
        self.assertEqual(self.create(client, "first", "orders", "replayed"), ended)
        # What can never be made ends its operation.
        (server.disk / "shop.taken").write_text("a file")
        request.name = self.create(client, "second", "taken", "executed").name
        failed = client.call(WAIT_OPERATION, request).parsed
        self.assertEqual(failed.error.code, StatusCode.FAILED_PRECONDITION.value[0])
        self.assertEqual(self.database_state(client, "taken"), "FAILED")
        self.assertEqual(self.work_status(server)["workPieces"], [])
        server.stop()

    def accounts(self) -> AccountsServer:
        database = Postgres().start()
        self.addCleanup(database.close)
        self.sql(database, (ROOT / "examples" / "host_your_own_sql" / "schema.sql").read_text())
        server = AccountsServer(program=str(self.accounts_program))
        self.addCleanup(server.close)
        server.database = database
        return server.start()

    @staticmethod
    def sql(database, statements: str) -> str:
        return run(postgres_program("psql"), "-v", "ON_ERROR_STOP=1", "-At",
                   database.conninfo_file.read_text().strip(), "-c", statements).strip()

    def pay(self, token: str, cents: int = 100, account: str = "anna"):
        return self.accounts_pb.PayRequest(client_token=token, account=account, cents=cents)

    def test_C9_C10_the_accounts_service_pays_once_into_its_own_tables(self):
        server = self.accounts()
        client = self.client(server)
        first = self.assertOutcome(client.call(PAY, self.pay("order-1")), "executed")
        self.assertEqual(self.accounts_pb.PayResponse.FromString(first.raw).balance_cents, 99_900)
        self.assertEqual(self.assertOutcome(client.call(PAY, self.pay("order-1")), "replayed").raw, first.raw)
        self.assertEqual(client.call(PAY, self.pay("order-1", cents=1)).reason, "IDEMPOTENT_PARAMETER_MISMATCH")
        # Refusals leave nothing, and their token stays free.
        self.assertEqual(client.call(PAY, self.pay("order-2", account="carl")).code, StatusCode.NOT_FOUND)
        self.assertEqual(client.call(PAY, self.pay("order-2", cents=10**6)).code, StatusCode.FAILED_PRECONDITION)
        self.assertEqual(self.sql(server.database, "SELECT count(*), sum(cents) FROM payments"), "1|100")
        self.assertOutcome(client.call(PAY, self.pay("order-2")), "executed")
        server.kill()
        server.start()
        self.assertEqual(self.assertOutcome(client.call(PAY, self.pay("order-1")), "replayed").raw, first.raw)

    def test_C9_each_payment_is_made_once_though_server_and_database_are_killed(self):
        server = self.accounts()
        paid, stop = {}, threading.Event()

        def caller(number: int) -> None:
            client = Client(server, "shop")
            while not stop.is_set():
                token, replies = new_token(), []
                while len(replies) < 2:
                    reply = client.call(PAY, self.pay(token, account=("anna", "ben")[number % 2]), timeout=5)
                    if reply.ok:
                        replies.append(reply.raw)
                    else:
                        self.assertEqual(reply.code, StatusCode.UNAVAILABLE, reply)
                self.assertEqual(replies[0], replies[1])
                paid[token] = self.accounts_pb.PayResponse.FromString(replies[0]).payment_id
            client.close()

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            callers = [pool.submit(caller, number) for number in range(6)]
            try:
                for _ in range(3):
                    for victim in (server, server.database, server):
                        made = len(paid)
                        eventually(lambda: len(paid) > made + 5 or callers[0].done(), "further payments")
                        victim.kill()
                        victim.start()
            finally:
                stop.set()
            for each in callers:
                each.result()
        self.assertEqual(len(set(paid.values())), len(paid))
        count = len(paid)
        self.assertEqual(self.sql(server.database, "SELECT count(*), sum(cents) FROM payments"), f"{count}|{count * 100}")
        self.assertEqual(self.sql(server.database, "SELECT sum(balance_cents) FROM accounts"), str(200_000 - count * 100))

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
