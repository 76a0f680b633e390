"""docs/contract.md names for each clause the tests that prove it: they exist, and have its number in their names."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLAUSES = (*range(1, 31), 32)
CPP_TEST = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)
PYTHON_TEST = re.compile(r"^\s*def (test_\w+)\(", re.MULTILINE)


def proven_clauses(test_name: str) -> set:
    return {int(number) for number in re.findall(r"(?<![A-Za-z0-9])C(\d+)(?![0-9])", test_name.replace("_", " "))} | {
        int(number) for number in re.findall(r"^C(\d+)", test_name)}


def clauses_by_suite() -> dict:
    """Names of suites and of end-to-end tests, with the clauses that their tests' names have."""
    suites = {}
    for source in (ROOT / "tests").rglob("*.cc"):
        for suite, name in CPP_TEST.findall(source.read_text()):
            suites.setdefault(suite, set()).update(proven_clauses(name))
    for source in (ROOT / "tests" / "e2e").glob("*_test.py"):
        clauses = suites.setdefault("e2e." + source.stem.removesuffix("_test"), set())
        for name in PYTHON_TEST.findall(source.read_text()):
            clauses.update(proven_clauses(name))
    return suites


class ContractTableTest(unittest.TestCase):
    def test_each_clause_has_tests_that_name_it(self):
        rows = dict(re.findall(r"^\| C(\d+) \|.*\| (.*) \|$", (ROOT / "docs" / "contract.md").read_text(), re.MULTILINE))
        self.assertEqual([int(clause) for clause in rows], list(CLAUSES))
        suites = clauses_by_suite()
        for clause, tests in rows.items():
            named = re.findall(r"`([^`]+)`", tests)
            self.assertTrue(named, f"C{clause} names no test")
            for test in named:
                with self.subTest(clause=f"C{clause}", test=test):
                    self.assertIn(test, suites)
                    self.assertIn(int(clause), suites[test])


if __name__ == "__main__":
    unittest.main()
