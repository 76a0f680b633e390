"""The code that documents show stands, line by line, in an example that e2e.examples compiles and runs, or in a test.
docs/hosting.md shows the whole of its example."""

import pathlib
import re
import textwrap
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOSTED = ROOT / "examples" / "host_your_own"
PROVISION = ROOT / "examples" / "provision"
# By document, or section of one, and language: the files, of which one has the code. Blocks of another language are
# commands and output.
HOSTED_WHOLE = [HOSTED / name for name in ("proto/payments/v1/payments.proto", "payments.h", "payments.cc", "main.cc",
                                           "charge.cc", "CMakeLists.txt")]
HANDLERS = ROOT / "tests" / "server" / "hosting"
SOURCES = {
    "hosting.md": {"proto": HOSTED_WHOLE, "cmake": HOSTED_WHOLE,
                   "cpp": [*HOSTED_WHOLE, HOSTED / "payments_test.cc", HANDLERS / "hosted_handler_test.cc",
                           HANDLERS / "streaming_read_test.cc"]},
    "testing_your_service.md": {"cpp": [HOSTED / "payments_test.cc"], "cmake": [HOSTED / "CMakeLists.txt"]},
    "embedding_the_client.md#Test your job": {"cpp": [ROOT / "examples" / "call_hapax" / "cluster_test.cc"]},
    "work.md": {"cpp": [HOSTED / "payments.cc", HOSTED / "main.cc", PROVISION / "provisioner.cc"],
                "proto": [PROVISION / "proto" / "provision" / "v1" / "provision.proto"]},
}
HEADER_ROW = re.compile(r"^\| `\w.*\| (.*`[\w/]+\.h`.*) \|$", re.MULTILINE)
FIELD = re.compile(r"^  (?!//)[\w:<>,* ]+ (\w+)(?: = [^;]*)?;", re.MULTILINE)
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

    def test_hosting_shows_its_service_from_the_first_line_to_the_last(self):
        shown = [code.rstrip("\n") for _, code in blocks_of("hosting.md")]
        for file in HOSTED_WHOLE:
            with self.subTest(file.name):
                rest = file.read_text()
                for code in shown:
                    rest = rest.replace(code, "", 1)
                self.assertEqual(rest.strip(), "")

    def test_the_tables_of_headers_name_headers(self):
        for document, least in (("hosting.md", 15), ("testing_your_service.md", 4)):
            rows = HEADER_ROW.findall((ROOT / "docs" / document).read_text())
            self.assertGreaterEqual(len(rows), least)
            for header in re.findall(r"`([\w/]+\.h)`", " ".join(rows)):
                with self.subTest(document=document, header=header):
                    self.assertTrue((ROOT / header).is_file())

    def test_the_table_of_options_has_each_field_in_order(self):
        header = (ROOT / "server" / "server.h").read_text()
        fields = FIELD.findall(re.search(r"^struct ServerOptions {$(.*?)^};$", header, re.MULTILINE | re.DOTALL).group(1))
        self.assertIn("stop_grace", fields)
        table = (ROOT / "docs" / "hosting.md").read_text().partition("\n### Options\n")[2].partition("\n## ")[0]
        self.assertEqual(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE), fields)

    def test_what_is_found_reads_as_it_does_in_the_example(self):
        shown = re.search(r"^payments.v1.Payments/Charge is not repeatable: .*$",
                          (ROOT / "docs" / "testing_your_service.md").read_text(), re.MULTILINE).group()
        # A literal in two parts.
        self.assertIn(shown, re.sub(r'"\s*"', "", (HOSTED / "payments_test.cc").read_text()))


if __name__ == "__main__":
    unittest.main()
