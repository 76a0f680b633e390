"""docs/work.md quotes the code of examples/provision as it stands there."""

import pathlib
import re
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def without_indentation(lines: list) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n")


class QuotesTest(unittest.TestCase):
    def test_every_block_stands_in_the_example(self):
        source = (ROOT / "examples" / "provision" / "main.cc").read_text().splitlines()
        blocks = BLOCK.findall((ROOT / "docs" / "work.md").read_text())
        self.assertTrue(blocks)
        for block in blocks:
            quoted = block.strip("\n")
            count = len(quoted.splitlines())
            with self.subTest(quoted.splitlines()[0]):
                self.assertTrue(any(without_indentation(source[at:at + count]) == quoted
                                    for at in range(len(source) - count + 1)))


if __name__ == "__main__":
    unittest.main()
