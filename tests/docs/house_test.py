"""The house is kept: each folder includes from no other than those that it is built on, and no file is long.

The build proves most of it, since a library finds the headers of its dependencies alone. This also tells what a
dependency of a dependency would hide."""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAX_LINES = 400
INCLUDE = re.compile(r'^#include "hapax/([^"]+)/[^/"]+\.h"', re.MULTILINE)

# Each folder, and the folders of ours that it may include from, besides itself. Only server/ knows everything.
BASE, STORAGE = {"base"}, {"base", "storage"}
CHAIN = STORAGE | {"interceptors", "proto"}
DOOR = {"base", "interceptors", "interceptors/access", "proto", "server/compute", "server/http"}
HOSTING = CHAIN | {"interceptors/idempotency", "server/hosting"}
ARROWS = {
    "base": set(),
    "base/log": BASE,
    "proto": set(),
    "storage": BASE,
    "storage/etcd": STORAGE | {"storage/remote"},
    "storage/memory": STORAGE,
    "storage/postgres": STORAGE | {"storage/remote"},
    "storage/remote": STORAGE,
    "storage/rocksdb": STORAGE,
    "interceptors": STORAGE | {"proto"},
    "interceptors/access": CHAIN,
    "interceptors/limits": CHAIN,
    "interceptors/idempotency": CHAIN,
    "server/options": CHAIN | {"interceptors/access", "interceptors/limits", "interceptors/idempotency"},
    "server/hosting": HOSTING,
    "server/grpc": HOSTING | {"server/options"},
    "server/http": HOSTING | {"server/options"},
    # No door knows another.
    "server/doors/ec2": DOOR,
    "server/doors/openstack": DOOR,
    "server/doors/yandex": DOOR | {"server/hosting"},
    "server/operations": HOSTING,
    "server/compute": HOSTING | {"server/operations"},
    "client": BASE | {"proto"},
    # The test kit may use all of these, and none of them uses the kit.
    "testing": HOSTING | {"interceptors/access", "interceptors/limits", "server", "server/operations", "storage/memory"},
    # The offline commands open a data directory, and move rows between the engines.
    "client/hapaxctl": STORAGE | {"client", "proto", "storage/etcd", "storage/postgres", "storage/remote",
                                  "storage/rocksdb"},
}
# One library each, whatever its folders.
WHOLE = ("server/compute", "client/hapaxctl", "client")


def folder_of(path: str) -> str:
    return next((whole for whole in WHOLE if path == whole or path.startswith(whole + "/")), path)


def files(*patterns: str) -> list:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


class HouseTest(unittest.TestCase):
    def test_each_folder_includes_from_those_below_it(self):
        seen = set()
        for file in files("*.cc", "*.h"):
            folder = folder_of(str(pathlib.PurePath(file).parent))
            if file.split("/")[0] in ("tests", "bench", "examples") or folder == "server":
                continue
            seen.add(folder)
            with self.subTest(file):
                # Generated headers are the API's, which all may know: proto <- all.
                included = {folder_of(name) for name in INCLUDE.findall((ROOT / file).read_text())
                            if not re.search(r"/v\d+\w*$|^external/", name)}
                self.assertLessEqual(included - {folder}, ARROWS[folder])
        self.assertEqual(seen, set(ARROWS))

    def test_nothing_of_the_product_includes_the_test_kit(self):
        for file in files("*.cc", "*.h"):
            if file.split("/")[0] not in ("testing", "tests", "examples"):
                with self.subTest(file):
                    self.assertNotIn('#include "hapax/testing/', (ROOT / file).read_text())

    def test_gRPC_and_RocksDB_stay_where_they_are(self):
        for file in files("*.cc", "*.h"):
            text = (ROOT / file).read_text()
            top, folder = file.split("/")[0], str(pathlib.PurePath(file).parent)
            if top in ("tests", "bench", "examples"):
                continue
            with self.subTest(file):
                if folder not in ("server/grpc", "client/wire", "server", "storage/etcd"):
                    self.assertNotRegex(text, r'#include [<"]grpc(pp)?/')
                if folder != "storage/rocksdb":
                    self.assertNotRegex(text, r'#include [<"]rocksdb/')

    def test_no_file_is_long(self):
        for file in files("*.cc", "*.h", "*.py", "*.proto"):
            with self.subTest(file):
                self.assertLessEqual(len((ROOT / file).read_text().splitlines()), MAX_LINES)


if __name__ == "__main__":
    unittest.main()
