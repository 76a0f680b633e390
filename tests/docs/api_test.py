"""docs/api.md is what the comments of the public protos give."""

import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ApiReferenceTest(unittest.TestCase):
    def test_the_committed_page_is_what_the_protos_give(self):
        generated = subprocess.run([ROOT / "scripts" / "api_reference", "-"], capture_output=True, text=True,
                                   check=True, timeout=50).stdout
        self.assertEqual((ROOT / "docs" / "api.md").read_text(), generated, "run scripts/api_reference")


if __name__ == "__main__":
    unittest.main()
