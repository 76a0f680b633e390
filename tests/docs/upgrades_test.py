"""docs/changing-rules.md, "What a retry gets", has the rows that upgrade_table_test.cc tries."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# {"change", then_fields, now_fields, "then_request", "now_request", "old_client", "new_client"}
TRIED = re.compile(r'\{"([^"]+)", [^{}]*?"(replayed|mismatch|refused)",\s*"(replayed|mismatch|refused)"\}')
TOLD = re.compile(r"^\| ([^|]+) \| (replayed|mismatch|refused) \| (replayed|mismatch|refused) \|$", re.MULTILINE)


class UpgradeTableTest(unittest.TestCase):
    def test_the_documents_have_what_is_tried(self):
        source = (ROOT / "tests/interceptors/idempotency/upgrade_table_test.cc").read_text()
        rows = source[source.index("const Row kRows[]"):source.index("};", source.index("const Row kRows[]"))]
        rows = re.sub(r'"field \{[^"]*\}"', "", rows)
        tried = TRIED.findall(rows)
        self.assertEqual(len(tried), rows.count('{"'))
        self.assertEqual(TOLD.findall((ROOT / "docs/changing-rules.md").read_text()), tried)


if __name__ == "__main__":
    unittest.main()
