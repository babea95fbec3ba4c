"""Delegated functions of several arities: a call carries the parameters of the arity that it means."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import LanguageError
from rtfs_framework.lang.signature import Purity
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.asked_call import read_call
from rtfs_framework.orchestrator.session import Session

HEAD = '(defn ^:delegation :local-model "m" classify "Tell the mood." : string'
PROGRAM = f"""
{HEAD} ([text : string] (classify text :en)) ([text language & notes] "own"))
(defn main ([x] [(classify x) (map classify [x])]) ([x y] [(classify x y) (apply classify [x y 1 2])]))
"""


def asked(kit):
    return [each.messages[1].content for each in kit.providers["m"].requests]


@pytest.mark.parametrize("args", [("fine",), ("fine", "en")])
def test_a_call_carries_the_parameters_of_its_arity(kit, source, args):
    with kit.open(kit.catalog(kit.provider("m", lambda _: "good"))) as session:
        result = session.run(source(PROGRAM), args)
    assert result.value == ("good", ("good",)) if len(args) == 1 else ("good", "good")
    for text in asked(kit):
        assert "Documentation: Tell the mood." in text
        assert ('- text (:string): "fine"' in text) == (len(args) == 1)
        assert ('- language: "en"' in text) == (len(args) == 2)
    assert len(result.calls) == 2


def test_arguments_that_no_arity_takes_reach_nobody(kit, source):
    text = PROGRAM + "(defn none [] (try (apply classify []) (catch e (:message e))))"
    with kit.open(kit.catalog(kit.provider("m", lambda _: "good"))) as session:
        result = session.run(source(text), (), entry="none")
    assert "expected 1 or at least 2, got 0" in result.value
    assert result.calls == ()


def test_the_signature_of_the_whole_knows_its_arities(kit, source):
    with kit.open(kit.catalog(kit.provider("m", lambda _: "good"))) as session, session.load(source(PROGRAM)) as loaded:
        found = loaded.function("classify")
        assert found.shapes == ((1, 1), (2, None))
        assert [p.name for p in found.parameters] == ["text", "language", "notes"]
        assert [p.name for p in found.taking(1).parameters] == ["text"]
        assert found.taking(0) is None
        artifact = session.link(source(PROGRAM)).artifact
        assert read_call(Source("<call>", '(classify "a")'), artifact).function == found.taking(1)
        with pytest.raises(LanguageError, match="takes 1 or at least 2 arguments, and here are 0"):
            read_call(Source("<call>", "(classify)"), artifact)


def test_purity_is_that_of_all_arities():
    text = """
    (defn one ([x] (one x 1)) ([x y] (call :fs.read x y)))
    (defn two ([x] x) ([f x] (f x)))
    (defn three [] (letfn [(a ([] 1) ([x] (one x)))] (a)))
    """
    with Session.open(journal=False) as session:
        found = {each.name: each for each in session.link(text).artifact.effects}
    assert list(found) == ["one", "two", "three", "a"]
    assert found["one"].purity is found["three"].purity is found["a"].purity is Purity.EFFECTFUL
    assert [reason.text for reason in found["one"].because] == ["calls the capability fs.read"]
    assert found["two"].purity is Purity.PURE
    assert [reason.text for reason in found["two"].because] == ["calls what it is given: f"]
