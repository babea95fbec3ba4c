"""`rtfs conformance`: right expectations pass, wrong ones fail, uncertain ones are neither."""

from __future__ import annotations

import pytest

CASES = """
[[case]]
id = "a-1"
topic = "sums"
source = "(+ 1 2)"
expect = "3"

[[case]]
id = "a-2"
topic = "sums"
source = "(+ 1 2)"
expect = "4"

[[case]]
id = "b-1"
topic = "errors"
source = "(/ 1 0)"
error = "DivisionByZero"

[[case]]
id = "b-2"
topic = "errors"
source = "(/ 1 0)"
expect = "1"
certain = false
"""


@pytest.fixture
def cases(rtfs, folder):
    (folder / "cases.toml").write_text(CASES)
    return rtfs


def test_counts_and_failures(cases) -> None:
    result = cases("conformance", "cases.toml")
    assert result.code == 1
    assert "FAILED a-2 (cases.toml)\n  source: (+ 1 2)\n  expected value 4, got value 3\n" in result.out
    assert "sums       1 passed,   1 failed" in result.out
    assert "errors     1 passed,   0 failed, 1 skipped" in result.out
    assert result.lines[-1] == "2 passed, 1 failed"


def test_one_topic(cases) -> None:
    result = cases("conformance", ".", "--topic", "errors")
    assert (result.code, result.lines[-1]) == (0, "1 passed, 0 failed")


def test_uncertain_cases_on_request(cases) -> None:
    result = cases("conformance", "cases.toml", "--uncertain")
    assert result.lines[-1] == "2 passed, 2 failed"


def test_the_first_failure_can_end_it(cases) -> None:
    assert cases("conformance", "cases.toml", "--fail-fast").lines[-1] == "1 passed, 1 failed"


def test_json(cases) -> None:
    result = cases("conformance", "cases.toml", "--json")
    assert result.code == 1
    assert (result.data["passed"], result.data["failed"], result.data["skipped"]) == (2, 1, 1)
    assert result.data["topics"]["sums"] == {"passed": 1, "failed": 1, "skipped": 0}
    assert result.data["failures"][0]["difference"] == "expected value 4, got value 3"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["cases.toml", "--topic", "sms"], "no case has the topic 'sms'; topics: errors, sums"),
        (["broken.toml"], "broken.toml: "),
    ],
)
def test_what_cannot_be_used(cases, folder, args: list[str], message: str) -> None:
    (folder / "broken.toml").write_text("[[case]\n")
    result = cases("conformance", *args)
    assert result.code == 2
    assert f"error[E0915]: {message}" in result.err


def test_nothing_judged_is_a_failure(cases, folder) -> None:
    (folder / "empty.toml").write_text("case = []\n")
    result = cases("conformance", "empty.toml")
    assert (result.code, result.lines[-1]) == (1, "0 passed, 0 failed")
