"""What is said of a call, and what its program may do: who says it, what counts, and that engines read it."""

from __future__ import annotations

import pytest

from rtfs_framework.api import DelegationMetadata, FunctionSignature, Keyword, Map, Permissions
from rtfs_framework.orchestrator.config.security import RuntimeContext, SecurityLevel
from rtfs_framework.orchestrator.deciding.said import metadata_of
from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
from rtfs_framework.testing.fakes import FakeAsker, call_reads

CALLER = DelegationMetadata(confidence=0.4, context={"intent": "draft", "who": "me"}, source="python")


def table(**entries):
    return Map.of([(Keyword(name), value) for name, value in entries.items()])


def read(*, author=None, around=None, caller=None):
    function = FunctionSignature(name="f") if author is None else FunctionSignature(name="f", metadata=author)
    hints = Map.of([]) if around is None else Map.of([("runtime.delegation", around)])
    reads = call_reads("f", function=function, hints=hints, asker=FakeAsker(metadata=caller or DelegationMetadata()))
    found = reads.open().metadata
    assert [name for name, *_ in reads.noted] == ["metadata"]
    return found


def test_without_a_word_they_are_empty():
    assert read() == DelegationMetadata()


def test_the_author_the_caller_and_the_expression_are_laid_over_one_another():
    author = table(confidence=0.9, intent="triage", reasoning="as ever")
    found = read(author=author, caller=CALLER)
    assert (found.confidence, found.reasoning, found.source) == (0.4, "as ever", "python")
    assert found.context == {"intent": "draft", "who": "me"}
    nearest = read(author=author, caller=CALLER, around=table(confidence=1, context=table(intent=Keyword("x"))))
    assert (nearest.confidence, nearest.source, nearest.context["intent"]) == (1.0, "program", "x")


@pytest.mark.parametrize("confidence", [7, -0.1, "sure", True, None, float("nan")])
def test_a_confidence_that_is_none_is_a_fact(confidence):
    found = metadata_of(table(confidence=confidence))
    assert found.confidence is None
    assert "confidence" in found.context


def test_a_program_cannot_say_more_than_metadata_hold():
    many = Map.of([(f"fact {n}", "x" * 10_000) for n in range(200)])
    found = metadata_of(many)
    assert len(found.context) == 64
    assert all(len(text) == 4096 for text in found.context.values())


@pytest.mark.parametrize(
    "fields",
    [
        {"confidence": 1.5},
        {"reasoning": None},
        {"context": {"a": 1}},
        {"context": [("a", "b")]},
        {"source": "x" * 5000},
    ],
)
def test_the_python_api_refuses_what_they_cannot_hold(fields):
    with pytest.raises((TypeError, ValueError)):
        DelegationMetadata(**fields)


def test_other_words_are_another_key():
    seen = {
        call_reads("f", asker=FakeAsker(metadata=said)).look(("metadata",))[0]
        for said in (DelegationMetadata(), CALLER, DelegationMetadata(confidence=0.4), DelegationMetadata(source="x"))
    }
    assert len(seen) == 4
    assert all(isinstance(key, str) for key in seen)  # records name them by their digest


@pytest.mark.parametrize("level", SecurityLevel)
@pytest.mark.parametrize("grant", [(), ("fs.*",), ("fs.read",)])
@pytest.mark.parametrize("deny", [(), ("fs.read",), ("*",)])
def test_permissions_say_what_the_host_allows(level, grant, deny):
    rules = SecurityAuthorizer(RuntimeContext(level=level, grant=grant, deny=deny))
    assert rules.permissions == Permissions(level=level.value, grant=grant, deny=deny)
    for name in ("fs.read", "fs.write", "net.get"):
        assert rules.permissions.may_use(name) is (rules.authorize_capability(name) is None)
