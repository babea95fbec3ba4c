"""What a host serves for plug-ins: models that programs ask in words, and what they may call, found by words."""

from __future__ import annotations

import pytest

from rtfs_framework.api import (
    CapabilityEntry,
    InferenceReply,
    ProgramError,
    ProviderTimeout,
    RemoteModel,
    Usage,
    parse_type,
)
from rtfs_framework.lang.printer import write
from rtfs_framework.orchestrator.config.security import Reach
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrowed

LLM = "ccos.ai.llm-execute"
TWO = """
[security]
grant = ["ccos.ai.llm-execute", "find", "kv.*"]
[delegation.remote_providers.judge]
provider = "judge"
input_cost = 10.0
output_cost = 20.0
"""


def never(_request):
    raise AssertionError("the host answers it")


def entry(id_, served="", **more):
    return CapabilityEntry(id=id_, summary=more.pop("summary", "A fake."), handler=never, served=served, **more)


@pytest.fixture
def opened(kit):
    """Return a function that opens a session whose model answers so."""

    def open_session(answer=lambda _: "words", config=TWO, capabilities=(), **options):
        judge = kit.provider("judge", answer, remote=True)
        catalog = kit.catalog(judge, capabilities=[entry(LLM, "model"), *capabilities])
        return kit.open(catalog, config, **options)

    return open_session


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ('(llm-execute "judge" "Hi")', "Hi"),
        ('(call :ccos.ai.llm-execute "judge" "Hi" "Be brief.")', "Be brief.\n\nHi"),
        ('(llm-execute :model "judge" :prompt "Hi" :system "Be brief.")', "Be brief.\n\nHi"),
        ('(call :ccos.ai.llm-execute {:model :judge :prompt "Hi"})', "Hi"),
        ('(call :ccos.ai.llm-execute {:prompt "Hi" :context "All of it."})', "All of it.\n\nHi"),
    ],
)
def test_a_program_asks_a_model_in_words(kit, opened, source, call, words):
    with opened(lambda _: InferenceReply(text="Ho", model="big", usage=Usage(100, 10))) as session:
        result = session.run(source(call))
    assert result.value == "Ho"
    assert [each.content for each in kit.providers["judge"].requests[0].messages] == [words]
    asked, call = (each for each in result.calls if each.kind != "event")
    assert (asked.kind, asked.target, asked.input_tokens) == ("consultation", "remote judge", 100)
    assert asked.cost == pytest.approx(100 * 10e-6 + 10 * 20e-6)
    assert (call.target, call.cost) == (f"capability {LLM}", 0.0)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        ('(llm-execute "other" "Hi")', "UnknownCapability", "no model is called 'other'; configured are \"judge\""),
        ("(call :ccos.ai.llm-execute {:prompt 3 :model :judge})", "InvalidArgument", "takes a model and words"),
        ('(call :ccos.ai.llm-execute "judge")', "InvalidArgument", "takes a model and words"),
        ('(call :ccos.ai.llm-execute "a" "b" "c" "d")', "InvalidArgument", "takes a model and words"),
    ],
)
def test_a_call_that_names_no_model_or_no_words_is_refused(kit, opened, source, call, kind, words):
    with opened() as session, pytest.raises(ProgramError, match=words) as caught:
        session.run(source(call))
    assert caught.value.kind == kind
    assert not kit.providers["judge"].requests


def test_a_model_that_does_not_answer_is_an_error_of_the_call(opened, source):
    with opened(lambda _: ProviderTimeout("judge", "too slow")) as session:
        assert session.run(source('(try (llm-execute "judge" "Hi") (catch NetworkError e :none))')).value.name == "none"


def test_rules_that_keep_calls_here_keep_words_here(kit, opened, source):
    config = TWO.replace("[security]", '[security]\nreach = "local"')
    with opened(config=config) as session, pytest.raises(ProgramError, match="widen reach under") as caught:
        session.run(source('(llm-execute "judge" "Hi")'))
    assert caught.value.kind == "SecurityViolation"
    assert not kit.providers["judge"].requests


def test_a_caller_whose_rules_are_narrower_reaches_no_further(opened):
    with opened() as session:
        host = narrowed(session.host, Narrowing(reach=Reach.LOCAL))
        refusing = host.dispatcher.capabilities.services.consultations.security
    assert refusing.validate_execution_context(RemoteModel("judge"))


MARKED = """
[labels.capabilities]
"kv.get" = ["pii"]
[labels.accepts]
"""


@pytest.mark.parametrize(
    ("accepts", "asked"),
    [
        ("", 0),
        ('"capability ccos.ai.llm-execute" = ["pii"]\n', 0),
        ('remote-judge = ["pii"]\n', 0),
        ('"capability ccos.ai.llm-execute" = ["pii"]\nremote-judge = ["pii"]\n', 1),
    ],
)
def test_marks_of_the_words_hold_for_the_capability_and_for_the_model(kit, opened, source, accepts, asked):
    get = CapabilityEntry(id="kv.get", summary="Reads.", handler=lambda _: "a@b.c")
    text = '(try (llm-execute "judge" (call :kv.get "k")) (catch _ e :refused))'
    with opened(config=f"{TWO}{MARKED}{accepts}", capabilities=[get]) as session:
        value = session.run(source(text)).value
    assert (value == "words", len(kit.providers["judge"].requests)) == (bool(asked), asked)


FIND = (
    entry("find", "catalog"),
    entry("kv.get", summary="Reads a value by key.", effects=(":state",), parameters=(parse_type(":string"),),
          returns=parse_type(":any")),
    entry("kv.put", summary="Keeps a value.", aliases=("store.put",)),
    entry("secret.key", summary="Reads a key."),
)  # fmt: skip


@pytest.mark.parametrize(
    ("call", "ids"),
    [
        ('(call :find "value key")', ["kv.get", "kv.put"]),
        ('(call :find {:query "STORE"})', ["kv.put"]),
        ("(call :find {:tags [:state]})", ["kv.get"]),
        ('(call :find {:server "github"})', []),
        ('(call :find {:hint "kv" :limit 1})', ["kv.get"]),
        ("(call :find)", ["ccos.ai.llm-execute", "find", "kv.get", "kv.put"]),
        ("(call :find {})", ["ccos.ai.llm-execute", "find", "kv.get", "kv.put"]),
    ],
)
def test_what_a_program_may_call_is_found_by_words_and_nothing_else_is(opened, source, call, ids):
    with opened(capabilities=FIND) as session:
        found = session.run(source(f"(map :id {call})")).value
    assert [each for each in found if not each.startswith("host.")] == ids


def test_what_is_found_says_what_it_takes_gives_and_touches(opened, source):
    with opened(capabilities=FIND) as session:
        found = write(session.run(source('(first (call :find "get"))')).value)
    assert found == (
        '{:id "kv.get" :summary "Reads a value by key." :effects [":state"] :parameters [":string"] :returns ":any"}'
    )


@pytest.mark.parametrize("call", ["(call :find 3)", "(call :find [1])", '(call :find "a" "b")'])
def test_a_search_takes_words(opened, source, call):
    with opened(capabilities=FIND) as session, pytest.raises(ProgramError, match="find takes words; write"):
        session.run(source(call))


@pytest.mark.parametrize("symbol", ["ccos.ai.llm-execute", "llm-execute", "llm-*", "ccos.ai/llm-execute"])
def test_a_budget_counts_it_under_every_id(opened, source, symbol):
    capability = entry("ccos.ai.llm-execute", "model", aliases=("llm-execute",))
    config = f'{TWO}[budgets.words]\nsymbol = "{symbol}"\ncalls = 1\n[budgets.other]\nsymbol = "kv.*"\ncalls = 0\n'
    with opened(config=config, capabilities=[capability]) as session:
        assert session.run(source('(llm-execute "judge" "Hi")')).value == "words"
        with pytest.raises(ProgramError, match="budget 'words' has 0 calls left"):
            session.run(source('(llm-execute "judge" "Hi")'))
