"""The tables of docs/limits.md and docs/operating.md have every flag of the server, once."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAG = re.compile(r"^ABSL_FLAG\(\s*[\w:<>]+(?:<[^>]*>)?,\s*(\w+),", re.MULTILINE)
ROW = re.compile(r"^\| `--(\w+)` \|", re.MULTILINE)


def flags(source: str) -> list:
    (file,) = (ROOT / "server").rglob(source)
    return FLAG.findall(file.read_text())


class FlagsTest(unittest.TestCase):
    def test_each_flag_of_the_server_has_a_row(self):
        pages = [(ROOT / "docs" / page).read_text() for page in ("limits.md", "operating.md")]
        listed = [flag for page in pages for flag in ROW.findall(page)]
        self.assertEqual(sorted(listed), sorted(flags("flags.cc") + flags("limit_flags.cc") + flags("store_flags.cc")))


if __name__ == "__main__":
    unittest.main()
