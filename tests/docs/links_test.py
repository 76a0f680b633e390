"""Every relative link of a document leads to a file that is there, and to a heading that it has; every file that it names
by its path is there, too."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:base|bench|client|cmake|docs|examples|interceptors|proto|scripts|server|storage|tests)/[\w/.-]+\.\w+)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def documents() -> list:
    return sorted(path for folder in (ROOT, ROOT / "docs", ROOT / "bench", ROOT / "examples")
                  for path in (folder.glob("*.md") if folder == ROOT else folder.rglob("*.md")))


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(document: pathlib.Path) -> set:
    """The names that GitHub gives a document's headings."""
    headings = HEADING.findall(without_code(document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class LinksTest(unittest.TestCase):
    def test_each_link_leads_somewhere(self):
        self.assertIn(ROOT / "README.md", documents())
        for document in documents():
            for link in LINK.findall(without_code(document.read_text())):
                if link.startswith(("http://", "https://")):
                    continue
                with self.subTest(document=str(document.relative_to(ROOT)), link=link):
                    path, _, heading = link.partition("#")
                    target = (document.parent / path).resolve() if path else document
                    self.assertTrue(target.exists())
                    if heading:
                        self.assertIn(heading, anchors(target))

    def test_each_file_that_is_named_is_there(self):
        for document in documents():
            for file in FILE.findall(document.read_text()):
                with self.subTest(document=str(document.relative_to(ROOT)), file=file):
                    self.assertTrue((ROOT / file).exists())


if __name__ == "__main__":
    unittest.main()
