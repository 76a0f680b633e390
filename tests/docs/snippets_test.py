"""The code that documents show stands, line by line, in an example that e2e.examples compiles and runs."""

import pathlib
import re
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOSTED = ROOT / "examples" / "host_your_own"
PROVISION = ROOT / "examples" / "provision"
# By document, or section of one, and language: the files, of which one has the code. Blocks of another language are
# commands and output.
SOURCES = {
    "testing_your_service.md": {"cpp": [HOSTED / "payments_test.cc", PROVISION / "provisioner_test.cc"],
                                "cmake": [HOSTED / "CMakeLists.txt"]},
    "embedding_the_client.md#Test your job": {"cpp": [ROOT / "examples" / "call_hapax" / "cluster_test.cc"]},
    "work.md": {"cpp": [PROVISION / "provisioner.cc", PROVISION / "main.cc"]},
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(part: str) -> list:
    """The blocks of a document, or of the section that is named after `#`, as (language, code)."""
    document, _, section = part.partition("#")
    text = (ROOT / "docs" / document).read_text()
    if section:
        text = re.search(rf"^## {re.escape(section)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL).group(1)
    return BLOCK.findall(text)


def without_indentation(lines: list) -> str:
    return textwrap.dedent("\n".join(lines)).strip("\n")


class SnippetsTest(unittest.TestCase):
    def test_each_snippet_is_in_the_example(self):
        for document, sources in SOURCES.items():
            blocks = blocks_of(document)
            self.assertIn("cpp", [language for language, _ in blocks])
            for language, code in blocks:
                if language not in sources:
                    continue
                shown = without_indentation(code.splitlines())
                count = len(shown.splitlines())
                with self.subTest(document=document, code=shown.splitlines()[0]):
                    self.assertTrue(any(without_indentation(source[at:at + count]) == shown
                                        for source in (file.read_text().splitlines() for file in sources[language])
                                        for at in range(len(source) - count + 1)))

    def test_what_is_found_reads_as_it_does_in_the_example(self):
        shown = re.search(r"^payments.v1.Payments/Charge is not repeatable: .*$",
                          (ROOT / "docs" / "testing_your_service.md").read_text(), re.MULTILINE).group()
        # A literal in two parts.
        self.assertIn(shown, re.sub(r'"\s*"', "", (HOSTED / "payments_test.cc").read_text()))


if __name__ == "__main__":
    unittest.main()
