"""A question with a type: the model is told it, and its answer is a value of it, or none."""

from __future__ import annotations

import pytest

from rtfs_framework.api import (
    DelegationPlan,
    InferenceReply,
    Keyword,
    LocalModel,
    LocalPure,
    Map,
    PlanSource,
    RemoteModel,
    parse_type,
)
from rtfs_framework.lang.types.schema import to_json_schema
from rtfs_framework.orchestrator.deciding.facts import Question
from rtfs_framework.testing.fakes import call_reads

PROGRAM = '(defn ask [x] (str "own " x))\n(defn main [x] (ask x))'
JUDGE = LocalModel("judge")


class Asks:
    """Asks for a value of a type, and keeps what it hears."""

    def __init__(self, schema):
        self.schema, self.heard = schema, []

    def claims(self):
        return ("ask",)

    def decide(self, context):
        self.heard.append(context.consult(JUDGE, "where?", self.schema))
        return DelegationPlan(target=LocalPure(), reasoning="heard", source=PlanSource.ENGINE)


@pytest.fixture
def heard(kit, source):
    """Return a function that asks for a type and returns what the engine heard, and the record of the question."""

    def ask(schema, answer, times=1):
        engine = Asks(schema)
        judge = kit.provider("judge", lambda _: answer)
        with kit.open(kit.catalog(judge, engine=engine, l1=True), "") as session:
            program = session.load(source(PROGRAM))
            results = [program.call("main", ("x",)) for _ in range(times)]
        (record, *_) = [call for call in results[0].calls if call.kind == "consultation"]
        return engine.heard, record

    return ask


ENUM = "[:enum :near :far]"


@pytest.mark.parametrize(
    ("schema", "answer", "value"),
    [
        (ENUM, "near", Keyword("near")),
        (ENUM, '"far"', Keyword("far")),
        (parse_type(ENUM), "near", Keyword("near")),
        (":bool", "true", True),
        (":int", "```json\n7\n```", 7),
        (":string", "some words", "some words"),
        ("[:map [:where :string] [:sure :float]]", '{"where": "near", "sure": 0.5}',
         Map.of([(Keyword("where"), "near"), (Keyword("sure"), 0.5)])),
        ("[:vector :int]", InferenceReply(data=[1, 2], structured=True), (1, 2)),
        (":nil", "null", None),
    ],
)  # fmt: skip
def test_an_answer_that_fits_is_a_value(heard, schema, answer, value):
    found, record = heard(schema, answer)
    assert found == [value]
    assert type(found[0]) is type(value)
    assert record.error_kind == ""


@pytest.mark.parametrize(
    ("schema", "answer"),
    [(ENUM, "somewhere"), (":int", "seven"), (":int", InferenceReply(data="7", structured=True)), (":bool", "")],
)
def test_an_answer_that_does_not_fit_is_none_and_says_so_in_its_record(heard, schema, answer):
    found, record = heard(schema, answer)
    assert found == [None]
    assert record.error_kind == "TypeValidationError"


def test_the_model_is_told_the_type(kit, heard):
    heard(ENUM, "near")
    (request,) = kit.providers["judge"].requests
    assert request.schema == to_json_schema(parse_type(ENUM))
    assert "JSON Schema" in request.messages[0].content
    assert request.messages[-1].content == "where?"


def test_a_typed_answer_is_kept_and_is_no_answer_to_the_same_words_as_another_type(kit, heard):
    found, _ = heard(ENUM, "near", times=2)
    assert found[-1] == Keyword("near")
    assert len(kit.providers["judge"].requests) == 1
    one, other = Question(JUDGE, "where?", ":int"), Question(JUDGE, "where?")
    assert one.key != other.key
    for question in (one, other, Question(RemoteModel("x"), "a\nb as :int", ENUM)):
        kind = "local" if isinstance(question.target, LocalModel) else "remote"
        assert Question.of_key(kind, question.target.id, question.key) == question


def test_a_question_that_could_be_taken_for_another_is_refused():
    with pytest.raises(TypeError, match=r"U\+001F"):
        call_reads("f").open().consult(JUDGE, "where?\x1fas :int")


def test_a_text_that_is_no_type_is_the_engines_fault(kit, source):
    with kit.open(kit.catalog(kit.provider("judge", lambda _: "x"), engine=Asks("[:enm :a]")), "") as session:
        assert session.run(source(PROGRAM), ("x",)).value == "own x"
        (problem,) = session.problems
    assert "unknown type constructor :enm" in problem.message
