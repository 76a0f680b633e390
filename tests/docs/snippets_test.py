"""What docs/testing_your_service.md shows of C++ and CMake stands, line by line, in the example that it is taken from, which
e2e.examples compiles and runs."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "host_your_own"
SOURCES = {"cpp": EXAMPLE / "payments_test.cc", "cmake": EXAMPLE / "CMakeLists.txt"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class SnippetsTest(unittest.TestCase):
    def test_each_snippet_is_in_the_example(self):
        blocks = BLOCK.findall((ROOT / "docs" / "testing_your_service.md").read_text())
        self.assertIn("cpp", [language for language, _ in blocks])
        for language, code in blocks:
            with self.subTest(code):
                if language in SOURCES:
                    self.assertIn(code, SOURCES[language].read_text())

    def test_what_is_found_reads_as_it_does_in_the_example(self):
        shown = re.search(r"^payments.v1.Payments/Charge is not repeatable: .*$",
                          (ROOT / "docs" / "testing_your_service.md").read_text(), re.MULTILINE).group()
        # A literal in two parts.
        self.assertIn(shown, re.sub(r'"\s*"', "", SOURCES["cpp"].read_text()))


if __name__ == "__main__":
    unittest.main()
