"""The conformance cases, one test per topic; `decisions/` says what was decided where a case does not bind."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

import attrs
import pytest

from rtfs_framework.kernel import loader
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.testing.cases.judge import judge
from rtfs_framework.testing.cases.model import read_cases

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
UNCERTAIN = tomllib.loads((HERE / "decisions" / "uncertain.toml").read_text(encoding="utf-8"))["decision"]
CASES = list(read_cases([HERE]))
BY_ID = {case.id: case for case in CASES}
TOPICS = defaultdict(list)
for _case in CASES:
    TOPICS[_case.topic].append(_case)


def verdicts(cases):
    for case in cases:
        said = judge(case)
        if said is not None:
            yield f"{case.id}: {case.source}\n    {said}"


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_case_of_the_topic_holds(topic):
    different = list(verdicts(case for case in TOPICS[topic] if case.certain))
    assert not different, f"{len(different)} of {len(TOPICS[topic])} differ\n" + "\n".join(different)


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_case_holds_without_any_pass(topic, monkeypatch):
    monkeypatch.setattr(loader, "selected", lambda _names: frozenset({"mutual"}))  # a promise of the language
    assert list(verdicts(case for case in TOPICS[topic] if case.certain)) == []


def test_decisions_are_of_uncertain_cases():
    assert sorted(row["id"] for row in UNCERTAIN) == sorted(case.id for case in CASES if not case.certain)


@pytest.mark.parametrize("row", UNCERTAIN, ids=lambda row: row["id"])
def test_a_decision_is_what_is_built(row):
    assert (judge(BY_ID[row["id"]]) is None) is row["agrees"]
    assert row["says"]


def test_the_table_is_whole():
    assert len(CASES) == 1721
    assert len(BY_ID) == len(CASES)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("ar-008", {"expect": "1"}),
        ("ar-008", {"expect": None, "error": "TypeError"}),
        ("try-021", {"error": "TypeError"}),
        ("step-049", {"events": ("step-start step-parallel",)}),
        ("step-049", {"host": ({"call": "b", "args": [], "fail": "bad"},)}),
        ("tx-029", {"error": None, "expect": "[:union :int]"}),
    ],
)
def test_a_wrong_expectation_makes_the_judge_fail(name, wrong):
    assert judge(attrs.evolve(BY_ID[name], **wrong)) is not None


def test_a_broken_engine_makes_a_topic_fail(monkeypatch):
    from rtfs_framework.lang.codegen import operators
    from rtfs_framework.lang.library import Op

    monkeypatch.setattr(loader, "selected", lambda _names: ALL - {"fold"})  # which knows the sums beforehand
    monkeypatch.setitem(operators._ARITHMETIC, Op.ADD, operators._ARITHMETIC[Op.SUB])
    assert list(verdicts(TOPICS["arithmetic"]))
