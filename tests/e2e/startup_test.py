"""Starts that must fail: with an exit code of their own making, and a word about the flag or file that is wrong."""

import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

import catalogs
from api_keys import line_of
from case import ContractCase, new_token, run
from client import Client
from harness import STOP_TIMEOUT_S, Server, command, refused_start

LINE = line_of("alice", "one").rstrip("\n")
HASH = LINE.split()[-1]


class StartupTest(ContractCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hapax-e2e-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def assertDoesNotStart(self, *flags: str, names) -> None:
        """hapaxd with these flags (and defaults that would do) exits with a code above 0 and names each of `names`."""
        given = {flag.split("=")[0] for flag in flags}
        defaults = [flag for flag in ("--listen_address=127.0.0.1:0", f"--data_dir={self.dir / 'data'}")
                    if flag.split("=")[0] not in given]
        with self.subTest(flags):
            stderr = refused_start(*defaults, *flags)
            for name in names:
                self.assertIn(str(name), stderr)

    def write(self, name: str, text: str) -> pathlib.Path:
        path = self.dir / name
        path.write_text(text)
        return path

    def running(self) -> Server:
        server = Server()
        self.addCleanup(server.close)
        return server.start()

    def assertServes(self, server: Server) -> None:
        client = Client(server)
        self.addCleanup(client.close)
        self.assertOutcome(client.call("RunInstances", run(new_token())), "executed")

    def test_flags(self):
        for flag in ("--auth=magic", "--simulated_boot_latency=soon", "--simulated_boot_latency=-1s",
                     "--listen_address=nonsense", "--listen_address=127.0.0.1:70000",
                     "--listen_address=", "--default_region=mars-1", "--data_dir="):
            self.assertDoesNotStart(flag, names=[flag.split("=")[0].strip("-")])
        self.assertDoesNotStart("--no_such_flag=1", names=["no_such_flag"])

    def test_C4_another_default_region_stops_the_start_unless_it_is_accepted(self):
        server = self.running()
        token = new_token()
        client = Client(server)
        self.addCleanup(client.close)
        first = self.assertOutcome(client.call("RunInstances", run(token)), "executed")
        server.stop()
        moved = ("--default_region=eu-west-1", f"--data_dir={server.data_dir}")
        method = "hapax.compute.v1.Compute/RunInstances"
        self.assertDoesNotStart(*moved, names=["--accept_rule_changes", f"{method}: default region was us-east-1, is"])
        self.assertDoesNotStart(*moved, f"--accept_rule_changes={method}", names=["Compute/StopInstance: default region"])
        names = re.search(r"name (\S+) \(docs", refused_start("--listen_address=127.0.0.1:0", *moved))[1]

        server.start()  # As before, where what was refused changed nothing.
        again = Client(server)
        self.addCleanup(again.close)
        self.assertEqual(self.assertOutcome(again.call("RunInstances", run(token)), "replayed").raw, first.raw)
        server.stop()
        server.flags = ("--default_region=eu-west-1", f"--accept_rule_changes={names}")
        self.assertServes(server.start())
        server.stop()
        server.flags = ("--default_region=eu-west-1",)
        self.assertServes(server.start())
        server.stop()

    def test_no_authentication_on_an_address_that_others_reach(self):
        for address in ("0.0.0.0:0", "[::]:0"):
            self.assertDoesNotStart(f"--listen_address={address}", "--auth=none", names=["auth", "listen_address"])
            self.assertDoesNotStart(f"--listen_address={address}", names=["auth", "listen_address"])

    def test_api_keys_that_others_could_overhear_are_warned_of(self):
        keys = self.write("keys", LINE)
        for address, warned in (("0.0.0.0:0", True), ("127.0.0.1:0", False)):
            server = subprocess.Popen(
                command(f"--listen_address={address}", f"--data_dir={self.dir / 'data'}", "--auth=api_key",
                        f"--api_keys_file={keys}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(server.kill)
            self.assertIn("listening on", server.stdout.readline())
            server.terminate()
            _, stderr = server.communicate(timeout=STOP_TIMEOUT_S)
            self.assertEqual("unencrypted" in stderr, warned, stderr)

    def test_data_directory_that_another_server_holds(self):
        server = self.running()
        self.assertDoesNotStart(f"--data_dir={server.data_dir}", names=[server.data_dir])
        self.assertServes(server)
        server.stop()

    def test_data_directory_that_is_not_writable(self):
        file = self.write("file", "")
        for path in (file, file / "data"):
            self.assertDoesNotStart(f"--data_dir={path}", names=[path])
        self.assertEqual(file.read_text(), "")

    def test_data_directory_of_something_else(self):
        data = self.dir / "foreign"
        data.mkdir()
        (data / "CURRENT").write_text("not a database\n")
        self.assertDoesNotStart(f"--data_dir={data}", names=[data])

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            self.assertDoesNotStart(f"--listen_address={address}", names=[address])
        server = self.running()
        self.assertDoesNotStart(f"--listen_address={server.address}", names=[server.address])
        self.assertServes(server)
        server.stop()

    def test_catalog_files(self):
        path = self.dir / "none"
        self.assertDoesNotStart(f"--catalog_file={path}", names=[path])
        self.assertDoesNotStart(f"--catalog_file={self.dir}", names=[self.dir])
        for position, (spoil, names) in enumerate((
                (lambda text: "{ this is no catalog", []),
                (lambda text: "", []),
                (lambda text: text + 'colour: "red"\n', ["colour"]),
                (lambda text: text.replace('default_instance_type: "m5.large"', 'default_instance_type: "m9.nano"'),
                 ["default_instance_type", "m9.nano"]),
                (lambda text: text.replace('"us-east-1b"', '"us-east-1a"'), ["us-east-1a"]),
                (lambda text: text.replace('"subnet-b"', '"subnet-a"'), ["subnet-a"]),
                (lambda text: text.replace('"subnet-b"', '"Subnet B"'), ["Subnet B"]),
                (lambda text: text.replace("10.1.0.0/20", "10.0.8.0/24"), ["10.0.8.0/24"]),
                (lambda text: text.replace("10.1.0.0/20", "10.1.0.0/7"), ["10.1.0.0/7"]),
                (lambda text: text.replace("10.1.0.0/20", "here"), ["here"]),
                (lambda text: text.replace("vcpus: 1000", "vcpus: 0"), ["vcpus"]),
                (lambda text: text.replace("instances: 1000", "instances: -1"), ["instances"]),
                (lambda text: text.replace("instances_per_host: 4", "instances_per_host: 0"), ["instances_per_host"]))):
            sound = catalogs.text(catalogs.small())
            spoiled = spoil(sound)
            self.assertNotEqual(spoiled, sound)
            file = self.write(f"catalog-{position}", spoiled)
            self.assertDoesNotStart(f"--catalog_file={file}", names=[file, *names])

    def test_api_key_files(self):
        self.assertDoesNotStart("--auth=api_key", names=["api_keys_file"])
        path = self.dir / "none"
        self.assertDoesNotStart("--auth=api_key", f"--api_keys_file={path}", names=[path])
        for position, text in enumerate((
                "", "alice\n", f"{LINE[:-1]}\n", f"{LINE}0\n", f"{LINE[:-1]}g\n", f"{LINE} more\n", f"al/{LINE}\n",
                f"{'t' * 65} write one {HASH}\n", f"alice owner one {HASH}\n", f"alice write o_e {HASH}\n",
                f"alice one {HASH}\n", f"{LINE}\nbob write one {HASH}\n", f"# a comment\n{LINE}\nnonsense\n")):
            file = self.write(f"keys-{position}", text)
            last = len(text.splitlines())
            names = [file, "--api_keys_file=", *([f"line {last}"] if text else [])]
            self.assertDoesNotStart("--auth=api_key", f"--api_keys_file={file}", names=names)
        file = self.write("keys", LINE)
        for mode in (0o620, 0o602, 0o666):
            file.chmod(mode)
            self.assertDoesNotStart("--auth=api_key", f"--api_keys_file={file}", names=[file, "written by others"])
        self.assertDoesNotStart("--auth=api_key", f"--api_keys_file={self.dir}", names=[self.dir])
        self.assertDoesNotStart(f"--api_keys_file={file}", names=["api_keys_file", "--auth=api_key"])


if __name__ == "__main__":
    unittest.main()
