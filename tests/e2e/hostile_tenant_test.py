"""A tenant that attacks another one, by every method there is: it learns nothing and changes nothing (C4).

Each attack is made twice, with what is the victim's and with what is nobody's: the answers may differ in nothing. Every
method needs an attack here, so that a new one does not go without."""

import base64
import hashlib
import unittest

from api_keys import line_of, x_api_key
from case import (ABANDONED, FREE, IMAGE, ServerCase, abandon_token, delete_keypair, eventually, get_token, hosts,
                  keypair, list_tokens, new_token, release, run, terminate)
from client import ADMIN, OPERATIONS, TOKENS
from harness import Server
from methods import METHODS, OPEN_SERVICES, SERVICES, TRANSLATED_SERVICES, reflected_services, required_role
from protos import compute_pb2, operations_pb2, resources_pb2, tokens_pb2

ZONE = "us-east-1a"
RUNNING, STOPPED = resources_pb2.INSTANCE_STATE_RUNNING, resources_pb2.INSTANCE_STATE_STOPPED
SECRET_TAG = {"project": "moonshot"}
TAG_BYTES = 16  # Of a page token; the position follows.
_DIGITS = str.maketrans("0123456789abcdef", "fedcba9876543210")


def nobodys(name: str) -> str:
    """An id of the same form that is nobody's."""
    kind, _, digits = name.rpartition("-")
    return f"{kind}-{digits.translate(_DIGITS)}"


class Estate:
    """What a tenant has: something of everything, all of it settled."""

    def __init__(self, test, client):
        self.client = client
        self.requests = []  # (method, request, reply) of every call that made something.
        self.make(test, "CreateKeypair", keypair(new_token(), "a-pair"))
        pair = self.make(test, "CreateKeypair", keypair(new_token(), "victims-pair"))
        self.key_name, self.key_pair_id, self.fingerprint = pair.key_name, pair.key_pair_id, pair.key_fingerprint
        self.host_id = self.make(test, "AllocateHosts", hosts(new_token(), quantity=2, tags=SECRET_TAG)).host_ids[0]
        launch = run(new_token(), key_name=self.key_name, min_count=3, tags=SECRET_TAG)
        self.instances = list(self.make(test, "RunInstances", launch).instances)
        self.token = launch.client_token
        zonal = run(new_token(), zone=ZONE)
        self.make(test, "RunInstances", zonal)
        self.zonal_token = zonal.client_token
        eventually(lambda: {i.state for i in test.instances(client)} == {RUNNING}, "running")
        self.running_id, self.stopped_id = self.instances[0].instance_id, self.instances[1].instance_id
        for instance in self.instances[1:]:
            stop = compute_pb2.StopInstanceRequest(client_token=new_token(), instance_id=instance.instance_id)
            self.operation = self.make(test, "StopInstance", stop).name
        eventually(lambda: [i.state for i in test.instances(client)].count(STOPPED) == 2, "stopped")

    def make(self, test, method: str, request):
        reply = test.assertOutcome(self.client.call(method, request), "executed")
        self.requests.append((method, request, reply))
        return reply.parsed

    def everything(self, test) -> list:
        """All that the tenant can see of what it has."""
        replies = [self.client.call(method, request) for method, request in (
            ("DescribeInstances", b""), ("DescribeHosts", b""), ("DescribeKeypairs", b""),
            (TOKENS + "ListTokens", b""), (OPERATIONS + "ListOperations", b""))]
        replies += [get_token(self.client, request.client_token, zone=zone)
                    for _, request, _ in self.requests for zone in ("", ZONE)]
        for method, request, first in self.requests:
            replay = self.client.call(method, request)
            test.assertOutcome(replay, "replayed")
            if method != "StopInstance":  # That is the operation as it stands.
                test.assertReplays(replay, first)
            replies.append(replay)
        for reply in replies:
            test.assertTrue(reply.ok, reply)
        return [reply.raw for reply in replies]


class HostileTenantTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        # An attacker for each method, so that each has nothing but what it makes itself.
        keys = line_of("victim", "victim") + line_of("operator", "operator", "admin") + "".join(
            line_of(f"attacker-{path.rsplit('/', 1)[1]}", path.rsplit("/", 1)[1], attackers_role(path))
            for path in METHODS)
        cls.server.flags = ("--auth=api_key", f"--api_keys_file={cls.server.write('keys', keys)}",
                            f"--backup_dir={cls.server.dir / 'backups'}", "--simulated_boot_latency=20ms")
        cls.server.start()

    def setUp(self):
        pass

    def test_C4_no_attack_by_any_method_learns_or_changes_anything(self):
        self.assertEqual(reflected_services(self.server.address) - OPEN_SERVICES, set(SERVICES) | TRANSLATED_SERVICES)
        self.victim = Estate(self, self.client_of(None, metadata=x_api_key("victim")))
        before = self.victim.everything(self)
        for path in METHODS:
            name = path.rsplit("/", 1)[1]
            self.path, self.tenant = path, f"attacker-{name}"
            self.client = self.client_of(None, metadata=x_api_key(name) + (("x-tenant-id", "victim"),))
            with self.subTest(method=path):
                attack = getattr(self, f"attack_{name}", None)
                self.assertIsNotNone(attack, "a method that nobody attacks")
                attack()
                self.assertEqual(self.victim.everything(self), before)

    def same(self, theirs, of_nobody, swap=()) -> None:
        """Both requests of the method under attack are answered alike; `swap`: what is the victim's in the one, and what
        stands for it in the other."""
        answers = []
        for request in (theirs, of_nobody):
            reply = self.client.call(self.path, request)
            for word in ("victims-pair", "moonshot"):
                if word not in str(request):
                    self.assertNotIn(word.encode(), reply.raw or b"")
                    self.assertNotIn(word, str(reply))
            answers.append((reply.code, reply.message, reply.raw, reply.initial,
                            {key: value for key, value in reply.trailing.items()}))
        told = repr(answers[0])
        for mine, other in swap:
            told = told.replace(mine, other)
        self.assertEqual(told, repr(answers[1]))

    def executes_as_its_own(self, request) -> None:
        """The victim's token, on the victim's request and on another one: it is a fresh token to the attacker."""
        reply = self.assertOutcome(self.client.call(self.path, request), "executed")
        self.assertNotIn(reply.raw, [first.raw for _, _, first in self.victim.requests])
        self.assertReplays(self.client.call(self.path, request), reply)

    def requests_of(self, name: str) -> list:
        return [request for method, request, _ in self.victim.requests if method == name]

    def page_tokens(self, request, repeated_in_page=1) -> None:
        """The victim's page token is as good as garbage, and one that was forged leads to nothing of another's."""
        request.page_size = repeated_in_page
        page_token = self.victim.client.call(self.path, request).parsed.next_page_token
        self.assertTrue(page_token)
        stolen, garbage = type(request)(), type(request)()
        stolen.CopyFrom(request)
        garbage.CopyFrom(request)
        stolen.page_token, garbage.page_token = page_token, "A" * len(page_token)
        self.same(stolen, garbage)
        query = type(request)()
        query.CopyFrom(request)
        query.page_size, query.page_token = 0, ""
        position = base64.urlsafe_b64decode(page_token + "=" * (-len(page_token) % 4))[TAG_BYTES:]
        for tenant in (self.tenant, "victim", ""):
            garbage.page_token = forged_without_a_key(query, tenant, position)
            self.assertRefused(self.client.call(self.path, garbage), "INVALID_PARAMETER", "page_token")

    # Compute: what changes something.

    def attack_RunInstances(self):
        for request in self.requests_of("RunInstances"):
            own = compute_pb2.RunInstancesRequest()
            own.CopyFrom(request)
            own.key_name = ""
            self.executes_as_its_own(own)
        key = self.victim.key_name
        self.same(run(key_name=key), run(key_name=key[::-1]), [(key, key[::-1])])
        placed = {"placement": compute_pb2.Placement(availability_zone=ZONE, tenancy="host")}
        theirs, of_nobody = run(**placed), run(**placed)
        theirs.placement.host_id, of_nobody.placement.host_id = self.victim.host_id, nobodys(self.victim.host_id)
        self.same(theirs, of_nobody, [(self.victim.host_id, nobodys(self.victim.host_id))])
        on_any = run(**placed)
        self.assertFalse(self.client.call(self.path, on_any).ok)

    def attack_AllocateHosts(self):
        for request in self.requests_of("AllocateHosts"):
            self.executes_as_its_own(request)

    def attack_CreateKeypair(self):
        for request in self.requests_of("CreateKeypair"):
            self.executes_as_its_own(request)  # With the victim's name for it, too.

    def attack_ReleaseHosts(self):
        theirs = self.victim.host_id
        self.same(release(theirs), release(nobodys(theirs)), [(theirs, nobodys(theirs))])
        own = self.client.call("AllocateHosts", hosts()).parsed.host_ids[0]
        self.same(release(own, theirs), release(own, nobodys(theirs)), [(theirs, nobodys(theirs))])

    def attack_DeleteKeypair(self):
        key = self.victim.key_name
        self.same(delete_keypair(name=key), delete_keypair(name=key[::-1]), [(key, key[::-1])])

    def attack_TerminateInstances(self):
        own = self.client.call("RunInstances", run()).parsed.instances[0].instance_id
        eventually(lambda: self.instances()[0].state == RUNNING, "running")
        for theirs in (self.victim.running_id, self.victim.stopped_id):
            swap = [(theirs, nobodys(theirs))]
            self.same(terminate(theirs), terminate(nobodys(theirs)), swap)
            self.same(terminate(own, theirs), terminate(own, nobodys(theirs)), swap)
        self.assertEqual(self.instances()[0].state, RUNNING)

    def attack_StartInstance(self, kind=compute_pb2.StartInstanceRequest):
        for theirs in (self.victim.running_id, self.victim.stopped_id):
            self.same(kind(instance_id=theirs), kind(instance_id=nobodys(theirs)), [(theirs, nobodys(theirs))])
            stop = self.requests_of("StopInstance")[0]  # Its token is as free as any.
            self.same(kind(client_token=stop.client_token, instance_id=theirs),
                      kind(client_token=new_token(), instance_id=nobodys(theirs)), [(theirs, nobodys(theirs))])

    def attack_StopInstance(self):
        self.attack_StartInstance(compute_pb2.StopInstanceRequest)

    # Compute: what reads.

    def filters(self, kind, values: dict) -> None:
        """What a filter finds of the victim's, `values`: nothing, like one that can find nothing."""
        for name, value in values.items():
            asked = [kind(filters=[compute_pb2.Filter(name=name, values=[text])]) for text in (value, "none-" + value)]
            self.same(*asked)

    def attack_DescribeInstances(self):
        kind, theirs = compute_pb2.DescribeInstancesRequest, self.victim.running_id
        swap = [(theirs, nobodys(theirs))]
        self.same(kind(instance_ids=[theirs]), kind(instance_ids=[nobodys(theirs)]), swap)
        self.same(kind(client_token=self.victim.token), kind(client_token=new_token()))
        self.same(kind(region="us-east-1"), kind(region="eu-west-1"))
        instance = self.victim.instances[1]
        self.filters(kind, {
            "instance-state-name": "stopped", "instance-type": "m5.large", "image-id": IMAGE, "availability-zone": ZONE,
            "subnet-id": instance.subnet_id, "key-name": self.victim.key_name, "private-ip-address":
            instance.private_ip_address, "client-token": self.victim.token, "tag-key": "project",
            "tag:project": "moonshot"})
        self.page_tokens(kind())

    def attack_DescribeHosts(self):
        kind, theirs = compute_pb2.DescribeHostsRequest, self.victim.host_id
        self.same(kind(host_ids=[theirs]), kind(host_ids=[nobodys(theirs)]), [(theirs, nobodys(theirs))])
        self.filters(kind, {"availability-zone": ZONE, "instance-type": "m5.large", "tag:project": "moonshot"})
        self.page_tokens(kind())

    def attack_DescribeKeypairs(self):
        kind, theirs = compute_pb2.DescribeKeypairsRequest, self.victim.key_name
        self.same(kind(key_names=[theirs]), kind(key_names=[theirs[::-1]]), [(theirs, theirs[::-1])])
        self.filters(kind, {"key-pair-id": self.victim.key_pair_id, "key-name": theirs,
                            "fingerprint": self.victim.fingerprint})
        self.page_tokens(kind())

    def attack_DescribeSubnets(self):
        self.assertSharedWithAll(compute_pb2.DescribeSubnetsRequest())

    def attack_DescribeAvailabilityZones(self):
        """Zones tell how much of them is free, which is what all tenants together have left: see docs/guarantees.md."""
        reply = self.client.call(self.path, b"")
        self.assertEqual({zone.zone_name for zone in reply.parsed.availability_zones},
                         {zone.zone_name for zone in self.victim.client.call(self.path, b"").parsed.availability_zones})

    def assertSharedWithAll(self, request) -> None:
        """The catalog's, the same for every tenant."""
        self.assertEqual(self.client.call(self.path, request).raw, self.victim.client.call(self.path, request).raw)

    # Tokens.

    def attack_GetToken(self):
        for token, zone in ((self.victim.token, ""), (self.victim.zonal_token, ZONE)):
            other = new_token()
            asked = [tokens_pb2.GetTokenRequest(client_token=text, region="us-east-1", availability_zone=zone)
                     for text in (token, other)]
            self.same(*asked, [(token, other)])
            self.assertEqual(self.client.call(self.path, asked[0]).parsed.token.state, FREE)

    def attack_ListTokens(self):
        kind = tokens_pb2.ListTokensRequest
        self.same(kind(client_token=self.victim.token), kind(client_token=new_token()))
        self.assertEqual(list_tokens(self.client), [])
        self.page_tokens(kind())

    def attack_AbandonToken(self):
        for token, zone in ((self.victim.token, ""), (self.victim.zonal_token, ZONE)):
            replies = [abandon_token(self.client, text, zone=zone).parsed.token for text in (token, new_token())]
            for reply in replies:
                self.assertEqual(reply.state, ABANDONED)
                reply.ClearField("abandon_time")
                reply.ClearField("client_token")
            self.assertEqual(replies[0], replies[1])
        unused = new_token()  # The victim is about to use it.
        abandon_token(self.client, unused)
        self.assertEqual(get_token(self.victim.client, unused).parsed.token.state, FREE)

    def attack_GetPolicy(self):
        self.assertSharedWithAll(tokens_pb2.GetPolicyRequest())

    # Operations.

    def attack_GetOperation(self, kind=operations_pb2.GetOperationRequest):
        theirs = self.victim.operation
        self.same(kind(name=theirs), kind(name=nobodys(theirs)), [(theirs, nobodys(theirs))])

    def attack_WaitOperation(self):
        self.attack_GetOperation(operations_pb2.WaitOperationRequest)

    def attack_ListOperations(self):
        kind = operations_pb2.ListOperationsRequest
        self.same(kind(filter="done = true"), kind(filter="done = false"))
        self.page_tokens(kind())


    # Admin: what has all tenants' data is the operator's alone.

    def attack_CreateBackup(self):
        operator = self.client_of(None, metadata=x_api_key("operator"))
        made = operator.call(ADMIN + "CreateBackup", b"").parsed.backup
        self.assertRefused(self.client.call(self.path, b""), "PERMISSION_DENIED")
        listed = operator.call(ADMIN + "ListBackups", b"").parsed.backups
        self.assertEqual([backup.backup_id for backup in listed], [made.backup_id])

    def attack_ListBackups(self):
        self.assertRefused(self.client.call(self.path, b""), "PERMISSION_DENIED")

    def attack_GetStatus(self):
        self.attack_ListBackups()

    def attack_RetryWork(self):
        self.attack_ListBackups()


def attackers_role(path: str) -> str:
    """The highest that does not make its holder the operator."""
    return "write" if required_role(path) == "admin" else "admin"


def forged_without_a_key(query, tenant: str, position: bytes) -> str:
    """A page token that says what the server's own says, by whoever knows the code but not its key: before there was
    one, a digest of the query, the tenant and the position."""
    def part(value: bytes) -> bytes:  # storage/key.h
        return value.replace(b"\0", b"\0\xff") + b"\0\1"

    asked = hashlib.sha256(part(query.DESCRIPTOR.full_name.encode()) + part(tenant.encode()) +
                           part(query.SerializeToString())).digest()
    made_up = hashlib.sha256(asked + position).digest()[:TAG_BYTES] + position
    return base64.urlsafe_b64encode(made_up).decode().rstrip("=")


if __name__ == "__main__":
    unittest.main()
