"""OpenStack's API as its own clients call it: each effect once, however often they retry."""

import importlib.util
import os
import pathlib
import re
import subprocess
import threading
import unittest
import urllib.error
import urllib.request

from api_keys import key_of, line_of
from case import IMAGE, ServerCase, eventually, new_token
from cutting_proxy import CuttingProxy
from harness import Server
from openstack_suites import FLAVOR, OTHER_FLAVOR, Suites

SEED_KEY = "my-key-pair"
TIMEOUT_S = 120


def needs(program: str):
    return unittest.skipUnless(pathlib.Path("/usr/bin", program).exists(), f"{program} is not installed (scripts/setup --clients)")


def needs_module(name: str):
    return unittest.skipUnless(importlib.util.find_spec(name), f"{name} is not installed (scripts/setup --clients)")


class NovaCase(ServerCase):
    """A server with HTTP, whose callers are believed: the project is the tenant."""

    flags = ("--http_address=127.0.0.1:0",)

    def environment(self, address="", token="", password="x") -> dict:
        """For a client's process. With `token`, each mutating call has it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        prefix = f"/with-client-token/{token}" if token else ""
        return {**ours, "OS_AUTH_URL": f"http://{address or self.server.http_address}{prefix}/v3", "OS_USERNAME": "ann",
                "OS_PASSWORD": password, "OS_PROJECT_NAME": self.tenant, "OS_USER_DOMAIN_NAME": "Default",
                "OS_PROJECT_DOMAIN_NAME": "Default", "OS_IDENTITY_API_VERSION": "3"}

    def run_client(self, *words: str, program="openstack", **options):
        return subprocess.run(["/usr/bin/" + program, *words], env=self.environment(**options), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S)

    def client_output(self, *words: str, **options) -> str:
        ended = self.run_client(*words, **options)
        self.assertEqual(ended.returncode, 0, f"{words}:\n{ended.stdout}{ended.stderr}")
        return ended.stdout.strip()

    def proxy(self, **options) -> CuttingProxy:
        made = CuttingProxy(lambda: self.server.http_address, **options)
        self.addCleanup(made.close)
        return made

    def session(self, token="", address=""):
        """Keystone's session of Python; with `token`, each request has it."""
        from keystoneauth1 import session
        from keystoneauth1.identity import v3

        auth = v3.Password(auth_url=f"http://{address or self.server.http_address}/v3", username="ann", password="x",
                           project_name=self.tenant, user_domain_name="Default", project_domain_name="Default")
        return session.Session(auth=auth, additional_headers={"X-Client-Token": token} if token else {})


@needs("openstack")
class CommandLineTest(NovaCase):
    """Each run takes 2 s, so these are few."""

    def create(self, *words: str, flavor=FLAVOR, **options):
        return self.run_client("server", "create", "--flavor", flavor, "--image", IMAGE, "--key-name", SEED_KEY, *words,
                               "web", "-f", "value", "-c", "id", "-c", "status", **options)

    # The use case of Nova's blueprint: the client boots a server, and dies before it learns of it.
    def test_a_client_that_died_boots_again_with_the_token_and_has_one_server(self):
        token = new_token()
        was_cut = threading.Event()
        killed = threading.Event()
        proxy = self.proxy(of=b"/v2.1/servers HTTP/1.1", on_cut=lambda: (was_cut.set(), killed.wait(TIMEOUT_S)))
        words = ("server", "create", "--flavor", FLAVOR, "--image", IMAGE, "--availability-zone", "us-east-1a", "web")
        with subprocess.Popen(["/usr/bin/openstack", *words], env=self.environment(proxy.address, token),
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
            self.assertTrue(was_cut.wait(TIMEOUT_S))
            client.kill()
        killed.set()
        launched = self.instances()
        self.assertEqual(len(launched), 1)
        self.server.kill()
        self.server.start()
        again = self.client_output(*words, "-f", "value", "-c", "id", token=token)
        self.assertEqual(again, launched[0].instance_id)
        refused = self.run_client(*words[:3], OTHER_FLAVOR, *words[4:], token=token)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("IdempotentParameterMismatch", refused.stderr)
        self.assertIn("flavorRef (HTTP 409)", refused.stderr)
        self.assertEqual(len(self.instances()), 1)

    def test_a_server_is_created_listed_stopped_and_deleted(self):
        created = self.create("--availability-zone", "us-east-1a", "--hint", "x-client-token=" + new_token(), "--wait")
        self.assertEqual(created.returncode, 0, created.stderr)
        server, status = created.stdout.split()
        self.assertEqual(status, "ACTIVE")
        listed = self.client_output("server", "list", "-f", "value", "-c", "ID", "-c", "Name", "-c", "Image", "-c", "Flavor")
        self.assertEqual(listed, f"{server} web {IMAGE} {FLAVOR}")
        self.client_output("server", "stop", "web")
        self.client_output("server", "delete", "--wait", "web")
        zones = self.client_output("availability", "zone", "list", "--compute", "-f", "value")
        self.assertIn("us-east-1a available", zones)

    def test_a_retried_key_pair_has_the_same_private_key(self):
        token = new_token()
        first = self.client_output("keypair", "create", "k", token=token)
        self.assertIn("BEGIN RSA PRIVATE KEY", first)
        self.assertEqual(self.client_output("keypair", "create", "k", token=token), first)
        refused = self.run_client("keypair", "create", "k")
        self.assertIn("409", refused.stderr)

    @needs("nova")
    def test_nova_boots_twice_with_a_token_and_has_one_server(self):
        token = new_token()
        words = ("boot", "--flavor", FLAVOR, "--image", IMAGE, "srv")
        first = self.client_output(*words, program="nova", token=token)
        again = self.client_output(*words, "--poll", program="nova", token=token)
        ids = [re.search(r"\| id +\| (\S+)", output)[1] for output in (first, again)]
        self.assertEqual(ids[0], ids[1])
        self.assertEqual(len(self.instances()), 1)


@needs_module("openstack")
class SdkTest(NovaCase):
    def connection(self, address=""):
        import openstack

        made = openstack.connection.Connection(session=self.session(address=address), region_name="us-east-1",
                                               compute_api_version="2.1")
        self.addCleanup(made.close)
        return made

    def test_the_sdks_own_second_attempt_makes_no_second_server(self):
        proxy = self.proxy(of=b"POST /v2.1/servers ")
        connection = self.connection(proxy.address)
        connection.compute.additional_headers["X-Client-Token"] = new_token()
        server = connection.compute.create_server(name="web", image_id=IMAGE, flavor_id=FLAVOR)
        self.assertEqual(proxy.requests, 2)
        self.assertEqual([instance.instance_id for instance in self.instances()], [server.id])

    def test_an_idempotency_key_is_a_token(self):
        compute = self.connection().compute
        body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": FLAVOR}}
        replies = [compute.post("/servers", json=body, headers={"Idempotency-Key": "T"}) for _ in range(2)]
        self.assertEqual([reply.headers["hapax-outcome"] for reply in replies], ["executed", "replayed"])
        self.assertEqual(replies[1].headers["idempotent-replayed"], "true")
        self.assertEqual(replies[0].content, replies[1].content)

    def test_lists_are_followed_page_by_page(self):
        compute = self.connection().compute
        for name in "abc":
            compute.create_server(name=name, image_id=IMAGE, flavor_id=FLAVOR)
        self.assertEqual(sorted(server.name for server in compute.servers(limit=2)), ["a", "b", "c"])
        self.assertEqual(compute.find_server("b").name, "b")


@needs_module("novaclient")
class NovaclientTest(NovaCase):
    def nova(self, token=""):
        from novaclient import client

        return client.Client("2.1", session=self.session(token))

    def test_calls_with_a_token_happen_once(self):
        with_token = self.nova(new_token())
        servers = [with_token.servers.create("web", IMAGE, FLAVOR) for _ in range(2)]
        self.assertEqual(servers[0].id, servers[1].id)
        with_token = self.nova(new_token())
        pairs = [with_token.keypairs.create("k") for _ in range(2)]
        self.assertEqual(pairs[0].private_key, pairs[1].private_key)
        self.assertEqual(self.nova().keypairs.get("k").public_key, pairs[0].public_key)

    # The race of the seeds: a late retry of a stop, after another has started the server.
    def test_a_late_retry_of_a_stop_stops_nothing(self):
        nova = self.nova()
        server = nova.servers.create("web", IMAGE, FLAVOR)

        def has(status: str) -> bool:
            return nova.servers.get(server.id).status == status

        eventually(lambda: has("ACTIVE"), "it runs")
        stopping = self.nova(new_token())
        stopping.servers.stop(server.id)
        eventually(lambda: has("SHUTOFF"), "it is stopped")
        nova.servers.start(server.id)
        eventually(lambda: has("ACTIVE"), "it runs again")
        stopping.servers.stop(server.id)
        self.assertTrue(has("ACTIVE"))


class ApiKeyTest(unittest.TestCase):
    def test_the_password_is_the_api_key(self):
        server = Server("--http_address=127.0.0.1:0", "--auth=api_key")
        self.addCleanup(server.close)
        keys = server.write("keys", line_of("alice", "alice-1"))
        server.flags += (f"--api_keys_file={keys}",)
        server.start()

        def log_in(password: str):
            body = ('{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "ann", "password": "%s"}}},'
                    ' "scope": {"project": {"name": "team"}}}}' % password)
            return urllib.request.urlopen(f"http://{server.http_address}/v3/auth/tokens", body.encode(), timeout=TIMEOUT_S)

        with log_in(key_of("alice-1")) as reply:
            self.assertEqual(reply.status, 201)
            token = reply.headers["X-Subject-Token"]
        request = urllib.request.Request(f"http://{server.http_address}/v2.1/servers", headers={"X-Auth-Token": token})
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            self.assertEqual(reply.read(), b'{"servers":[]}')
        for refused in (lambda: log_in("wrong"),
                        lambda: urllib.request.urlopen(f"http://{server.http_address}/v2.1/servers", timeout=TIMEOUT_S)):
            with self.assertRaises(urllib.error.HTTPError) as raised:
                refused()
            self.assertEqual(raised.exception.code, 401)
            raised.exception.close()


@needs_module("tempest")
class SuitesTest(NovaCase):
    """Those of Debian's that are quick; scripts/door_suites runs more."""

    def test_tempest_finds_key_pairs_and_launches_as_it_expects(self):
        suites = Suites(str(self.server.dir), self.server.http_address)
        result = suites.run("tempest.api.compute.keypairs.test_keypairs", "tempest.api.compute.servers.test_multiple_create")
        self.assertEqual(result.unexpected, [], result.output)
        self.assertGreaterEqual(result.ran - len(result.failed), 5)


if __name__ == "__main__":
    unittest.main()
