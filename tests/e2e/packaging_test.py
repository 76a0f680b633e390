"""What an application finds of Hapax: components, static and shared libraries, pkg-config, the tree within its own, its
own protos. Programs that have google.rpc of their own call a server beside it."""

import pathlib
import signal
import tempfile
import unittest

from case import ServerCase
from installed import FLAVOURS, ROOT, Project, attempt, install, libraries_of, run

HERE = ROOT / "tests" / "e2e" / "packaging"
# What only servers and programs need; so the tests of the client forbid to find it. (gRPC itself looks for zlib.)
OF_THE_SERVER = tuple(
    f"-DCMAKE_DISABLE_FIND_PACKAGE_{package}=ON" for package in ("RocksDB", "spdlog", "prometheus-cpp", "CLI11"))
REFUSED = "reason: INSTANCE_NOT_FOUND\nfield: instance_id\nby own code: INSTANCE_NOT_FOUND\noperations/1\n"


class PackagingTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scratch = tempfile.TemporaryDirectory(prefix="hapax-packaging-")
        cls.addClassCleanup(scratch.cleanup)
        cls.dir = pathlib.Path(scratch.name)
        cls.prefix = cls.dir / "prefix"
        install(cls.prefix)
        cls.app = Project(HERE / "app", cls.dir, cls.prefix)
        cls.programs = {flavour: cls.app.build(flavour, "-DAPP_COMPONENTS=client", *OF_THE_SERVER)
                        for flavour in FLAVOURS}
        cls.shop = Project(HERE / "shop", cls.dir, cls.prefix, below="app")
        cls.shops = {flavour: cls.shop.build(flavour) for flavour in FLAVOURS}

    def assertReadsRefusals(self, program, **environment):
        ended = attempt(program, self.server.address, self.tenant, env=environment or None)
        self.assertEqual((ended.returncode, ended.stdout), (0, REFUSED), ended.stderr)

    def pkg_config(self, *words: str, prefix: pathlib.Path = None) -> list:
        return run("pkg-config", *words, env={"PKG_CONFIG_PATH": str((prefix or self.prefix) / "lib" / "pkgconfig")}).split()

    def test_two_owners_of_googles_protos_end_a_process(self):
        """That this abort is seen is what makes the tests below tests."""
        ended = attempt(self.app.build_dir / "clash")
        self.assertEqual(ended.returncode, -signal.SIGABRT)
        self.assertIn("File already exists in database: google/", ended.stderr)

    def test_the_client_reads_refusals_beside_googles_protos_of_the_application(self):
        for flavour in FLAVOURS:
            with self.subTest(flavour):
                self.assertReadsRefusals(self.programs[flavour] / "with_own")

    def test_the_client_reads_refusals_beside_a_library_that_hides_googles_protos(self):
        for flavour in FLAVOURS:
            with self.subTest(flavour):
                self.assertReadsRefusals(self.programs[flavour] / "with_stranger")

    def test_the_client_is_linked_with_nothing_of_the_server(self):
        static, shared = (libraries_of(self.programs[flavour] / "with_own") for flavour in FLAVOURS)
        self.assertIn("[libgrpc++.so", static)
        self.assertNotIn("[libhapax", static)
        self.assertIn("[libhapax_client.so.", shared)
        for library in ("rocksdb", "prometheus", "spdlog"):
            self.assertNotIn(library, static + shared)

    def test_a_shared_library_has_the_version_in_its_name(self):
        (version,) = self.pkg_config("--modversion", "hapax-client")
        for name in ("common", "client", "server", "compute", "testing"):
            self.assertIn(f"soname: [libhapax_{name}.so.{version}]",
                          libraries_of(self.prefix / "lib" / f"libhapax_{name}.so"))

    def test_an_unknown_component_is_named(self):
        ended = self.app.configuring("-DAPP_COMPONENTS=client;clinet")
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn('there is no "clinet"; allowed are client, server, compute, testing', " ".join(ended.stderr.split()))

    def test_without_its_packages_the_server_is_not_found(self):
        ended = self.app.configuring("-DAPP_COMPONENTS=server", *OF_THE_SERVER)
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("RocksDB", ended.stderr)

    def test_proto_libraries_import_one_another_and_an_operation_is_the_applications_own(self):
        for flavour in FLAVOURS:
            with self.subTest(flavour):
                self.assertEqual(run(self.shops[flavour] / "shop"), "OK amount { cents: 7 }\n")

    def test_a_mistake_in_the_protos_is_named(self):
        for mistake, message in {
                "refunds/v1/none.proto": 'there is no proto "refunds/v1/none.proto" below',
                "../../common/money/v1/money.proto": "money.proto does not lie below",
                "IMPORT_DIRS;none": "IMPORT_DIRS: there is no directory",
                "PROTO_LIBRARIES;hapax::server": "PROTO_LIBRARIES: hapax_generate_protos was not called for hapax::server",
        }.items():
            with self.subTest(mistake):
                ended = self.shop.configuring(f"-DSHOP_MISTAKE={mistake}")
                self.assertNotEqual(ended.returncode, 0)
                self.assertIn(message, " ".join(ended.stderr.split()))

    def test_pkg_config_has_what_a_program_is_compiled_and_linked_with(self):
        compiled = self.dir / "main.o"
        run("g++", "-std=c++20", "-c", HERE / "app" / "main.cc", "-o", compiled,
            *self.pkg_config("--cflags", "hapax-client"))
        # As it is where only static libraries are installed.
        static = self.dir / "static"
        (static / "lib").mkdir(parents=True)
        run("cp", "-r", self.prefix / "lib" / "pkgconfig", *self.prefix.glob("lib/*.a"), static / "lib")
        for flavour, libraries in {
                "shared": self.pkg_config("--libs", "hapax-client"),
                "static": self.pkg_config("--static", "--libs", "hapax-client", prefix=static)}.items():
            with self.subTest(flavour):
                program = self.dir / f"by-pkg-config-{flavour}"
                run("g++", compiled, "-o", program, f"-L{self.app.build_dir}", "-lstranger", *libraries)
                self.assertEqual("[libhapax_client.so." in libraries_of(program), flavour == "shared")
                self.assertReadsRefusals(
                    program, LD_LIBRARY_PATH=f"{self.app.build_dir}:{self.prefix / 'lib'}")

    def test_pkg_config_has_what_a_server_is_linked_with(self):
        objects = (self.shop.build_dir / "CMakeFiles" / "shop.dir").rglob("*.o")
        program = self.dir / "server-by-pkg-config"
        run("g++", *objects, "-o", program, f"-L{self.shop.build_dir}", "-lorders", "-lmoney", "-lhapax_google_protos",
            *self.pkg_config("--libs", "hapax-server"))
        self.assertEqual(run(program, env={"LD_LIBRARY_PATH": str(self.prefix / "lib")}), "OK amount { cents: 7 }\n")

    def test_an_application_that_includes_the_tree_builds_what_it_links(self):
        within = Project(HERE / "within", self.dir, self.prefix)
        self.assertEqual(within.configuring(f"-DHAPAX_SOURCE_DIR={ROOT}").returncode, 0)
        planned = run("ninja", "-C", within.build_dir, "-t", "inputs", "all")
        self.assertIn("hapax/client/CMakeFiles/hapax_client.dir/call/caller.cc.o", planned)
        for part in ("hapax/tests/", "hapax/bench/", "hapax/server/", "hapax/storage/", "client/hapaxctl/", "hapax/lib/"):
            self.assertNotIn(part, planned)
        run("ninja", "-C", within.build_dir, "CMakeFiles/within.dir/main.cc.o")
        ended = within.configuring("-DHAPAX_COMPONENTS=client", *OF_THE_SERVER)
        self.assertEqual(ended.returncode, 0, ended.stderr)


if __name__ == "__main__":
    unittest.main()
