"""Typed model calls through a real program: the request, the reply, failures that can be caught, reuse."""

from __future__ import annotations

import anyio
import pytest

from rtfs_framework.api import (
    BadReply,
    InferenceReply,
    LanguageError,
    ProgramError,
    ProviderAuthError,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
)
from rtfs_framework.api.provider import Usage
from rtfs_framework.lang.maps import Map
from rtfs_framework.lang.values import Keyword
from rtfs_framework.testing import FakeClock

PROGRAM = """
(defn ^:delegation :local-model "m" classify "Tell the mood." [text :string] : [:enum :good :bad] :bad)
(defn main [x] (try (classify x) (catch HostError e (str "caught " (:kind e)))))
"""


def run(kit, source, catalog, args, text=PROGRAM, config=None):
    with kit.open(catalog, config) as session:
        return session.run(source(text), args)


def test_a_call_becomes_a_typed_request_and_its_reply_a_typed_value(kit, source):
    catalog = kit.catalog(kit.provider("m", lambda _: "good"))
    result = run(kit, source, catalog, ("fine",))
    request = kit.providers["m"].requests[0]
    assert result.value == Keyword("good")
    assert request.args == ("fine",)
    assert request.schema["enum"] == ["good", "bad"]
    assert "Function: classify" in request.messages[1].content
    assert "Documentation: Tell the mood." in request.messages[1].content
    assert '- text (:string): "fine"' in request.messages[1].content
    assert result.calls[0].target == "local-model m"
    assert result.summary.by_target == {"local-model m": 1}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (ProviderError("m", "no"), "NetworkError"),
        (ProviderTimeout("m", "late"), "NetworkError"),
        (RateLimited("m", "slow down", retry_after=2.0), "NetworkError"),
        (ProviderAuthError("m", "no key"), "NetworkError"),
        (ProviderUnavailable("m", "gone"), "NetworkError"),
        (ZeroDivisionError("bug in the plugin"), "NetworkError"),
    ],
)
def test_a_failing_provider_is_an_error_that_the_program_catches(kit, source, reply, kind):
    result = run(kit, source, kit.catalog(kit.provider("m", lambda _: reply)), ("x",))
    assert result.value == f"caught {kind}"
    assert result.calls[0].error_kind == kind
    assert result.calls[0].code.startswith("E0")
    assert result.summary.errors == 1


@pytest.mark.parametrize("reply", ["", "mediocre", '{"a": 1}', InferenceReply(data="mediocre", structured=True),
                                   InferenceReply(), BadReply("m", "not JSON"), 42])  # fmt: skip
def test_a_reply_of_another_type_is_an_error_that_says_who_answered(kit, source, reply):
    catalog = kit.catalog(kit.provider("m", lambda _: reply))
    with pytest.raises(ProgramError) as caught:
        run(
            kit,
            source,
            catalog,
            ("x",),
            PROGRAM.replace("main [x] (try", "main [x] (do").replace(
                '(catch HostError e (str "caught " (:kind e)))', ""
            ),
        )
    assert caught.value.kind == "TypeValidationError"
    assert "m" in caught.value.message


def test_what_an_error_holds_reaches_the_program(kit, source):
    text = PROGRAM.replace('(str "caught " (:kind e))', "(:data e)")
    reply = RateLimited("m", "slow down", retry_after=2.0)
    value = run(kit, source, kit.catalog(kit.provider("m", lambda _: reply)), ("x",), text).value
    assert isinstance(value, Map)
    assert value.get(Keyword("code")) == "E0603"
    assert value.get(Keyword("retryable")) is True
    assert value.get(Keyword("retry-after")) == 2.0


def test_a_provider_that_hangs_is_stopped_at_its_deadline(kit, source):
    async def hang():
        await anyio.sleep_forever()

    catalog = kit.catalog(kit.provider("m", lambda _: hang(), defaults={}))
    config = "[delegation.local_models.m]\nprovider = 'm'\ntimeout = 30\n"
    result = run(kit, source, catalog, ("x",), config=config)
    assert result.value == "caught NetworkError"
    assert result.calls[0].error == "m: no reply within 0.03 s"
    assert result.calls[0].code == "E0602"


@pytest.mark.parametrize(
    ("hint", "expected"), [("{:absolute-ms 20}", 0.02), ("{:timeout-ms 5000000}", 30.0), ("{:multiplier 0.5}", 15.0)]
)
def test_a_timeout_hint_shortens_the_deadline_and_never_lengthens_it(kit, source, hint, expected):
    text = PROGRAM.replace("(try (classify x)", f"(try ^{{:runtime.learning.timeout {hint}}} (classify x)")
    with kit.open(kit.catalog(kit.provider("m", lambda _: "good")), clock=FakeClock()) as session:
        session.run(source(text), ("x",))
    assert kit.providers["m"].requests[0].timeout == expected


def test_arguments_of_another_type_are_refused_before_anything_is_paid(kit, source):
    catalog = kit.catalog(kit.provider("m", lambda _: "good"))
    with pytest.raises(ProgramError, match="argument text of classify"):
        run(kit, source, catalog, (5,))
    assert not kit.providers["m"].requests


def test_an_answer_of_another_type_is_the_hosts_mistake_and_a_wrong_argument_the_programs(kit, source):
    text = PROGRAM.replace("(:kind e)))))", "(:kind e))) (catch RuntimeError e (:kind e))))")
    for args, value in ((("fine",), "caught TypeValidationError"), ((5,), "TypeValidationError")):
        catalog = kit.catalog(kit.provider("m", lambda _: "of no such value"))
        assert run(kit, source, catalog, args, text).value == value


def test_a_plugin_that_cannot_be_made_is_named(kit, source):
    entry = kit.provider("m", lambda _: "good")

    def broken(_settings):
        raise ImportError("no such library")

    import attrs

    result = run(kit, source, kit.catalog(attrs.evolve(entry, factory=broken)), ("x",))
    assert result.value == "caught NetworkError"
    assert "acme-plugin 1.2 could not make it: no such library" in result.calls[0].error


def test_a_missing_key_is_told_with_the_variable_that_is_not_set(kit, source, remote_settings):
    catalog = kit.catalog(kit.provider("m", lambda _: "good", remote=True, settings=remote_settings))
    result = run(kit, source, catalog, ("x",), PROGRAM.replace(":local-model", ":remote"))
    assert result.calls[0].code == "E0604"
    assert "ACME_API_KEY is not set" in result.calls[0].error
    assert not kit.providers["m"].made_from


def test_a_hint_that_names_nothing_is_refused_before_the_program_runs(kit, source):
    with pytest.raises(LanguageError) as caught:
        run(kit, source, kit.catalog(kit.provider("mm", lambda _: "good")), ("x",))
    found = caught.value.diagnostics[0]
    assert (found.code, found.place.line, found.place.column) == ("E0712", 2, 33)
    assert found.help == "did you mean 'mm'?"


def test_usage_is_counted_and_priced(kit, source):
    reply = InferenceReply(text="good", usage=Usage(1000, 500), model="m-1", explanation="rule 7")
    catalog = kit.catalog(kit.provider("m", lambda _: reply, defaults={}))
    config = "[delegation.local_models.m]\nprovider = 'm'\ninput_cost = 2\noutput_cost = 10\n"
    result = run(kit, source, catalog, ("x",), config=config)
    assert (result.summary.input_tokens, result.summary.output_tokens) == (1000, 500)
    assert result.summary.cost == pytest.approx(0.007)
    assert (result.calls[0].model, result.calls[0].explanation) == ("m-1", "rule 7")


TWICE = PROGRAM + "(defn twice [x] [(main x) (main x)])"


@pytest.mark.parametrize(
    ("deterministic", "reuse", "asked"),
    [(True, "auto", 1), (False, "auto", 2), (False, "always", 1), (True, "never", 2)],
)
def test_replies_are_served_from_memory_only_where_that_is_sound(kit, source, deterministic, reuse, asked):
    entry = kit.provider("m", lambda _: "good", deterministic=deterministic, defaults={})
    config = f"[delegation.local_models.m]\nprovider = 'm'\nreuse = '{reuse}'\n"
    with kit.open(kit.catalog(entry, l2=True), config) as session:
        result = session.run(source(TWICE), ("x",), entry="twice")
    assert result.value == (Keyword("good"), Keyword("good"))
    assert len(kit.providers["m"].requests) == asked
    assert result.summary.cache_hits.get("l2", 0) == 2 - asked


def asked_after(kit, source, catalog, texts, config=None):
    """Run each text in a session of its own over the same layers; return how often the provider was asked."""
    for text in texts:
        with kit.open(catalog, config) as session:
            session.run(source(text), ("x",))
    return len(kit.providers["m"].requests)


@pytest.mark.parametrize(
    "change",
    [
        ("Tell the mood.", "Tell the temper."),
        ("[:enum :good :bad] :bad", "[:enum :good :bad :ugly] :bad"),
        (":bad)\n", ":good)\n"),
        ("classify", "grade"),
        ("[text :string]", "[words :string]"),
    ],
)
def test_another_function_is_another_question(kit, source, change):
    catalog = kit.catalog(kit.provider("m", lambda _: "good", deterministic=True), l2=True)
    assert asked_after(kit, source, catalog, [PROGRAM, PROGRAM, PROGRAM.replace(*change)]) == 2


def test_other_arguments_are_another_question(kit, source):
    catalog = kit.catalog(kit.provider("m", lambda request: request.args[0], deterministic=True), l2=True)
    text = (
        '(defn ^:delegation :local-model "m" f [x] :string "")\n(defn main [x] [(f "1") (f "1") (f "2") (f [1]) (f 1)])'
    )
    with kit.open(catalog) as session, pytest.raises(ProgramError):
        session.run(source(text), ("x",))
    assert [request.args[0] for request in kit.providers["m"].requests] == ["1", "2", (1,)]


def test_another_target_and_another_version_of_a_provider_are_other_questions(kit, source):
    entries = [kit.provider(name, lambda _: "good", deterministic=True) for name in ("m", "n")]
    catalog = kit.catalog(*entries, l2=True)
    fingerprint = "fake-1"
    for provider in kit.providers.values():
        provider.fingerprint = lambda: fingerprint
    texts = [PROGRAM, PROGRAM.replace('"m"', '"n"')]
    asked_after(kit, source, catalog, texts)
    asked_after(kit, source, catalog, texts)
    assert [len(provider.requests) for provider in kit.providers.values()] == [1, 1]
    fingerprint = "fake-2"
    asked_after(kit, source, catalog, texts)
    assert [len(provider.requests) for provider in kit.providers.values()] == [2, 2]


def test_one_function_sent_to_two_models_is_two_questions(kit, source):
    entry = kit.provider("m", lambda _: "good", deterministic=True, defaults={"a": {}, "b": {}})
    catalog = kit.catalog(entry, l2=True)
    text = '(defn ask [x] :string "")\n(defn main [x] (ask x))'
    for target in ("a", "b", "a", "b"):
        with kit.open(catalog, f'[delegation.static_routes]\nask = "local-{target}"\n') as session:
            session.run(source(text), ("x",))
    assert len(kit.providers["m"].requests) == 2


def test_another_definition_of_a_named_type_is_another_question(kit, source):
    catalog = kit.catalog(kit.provider("m", lambda _: "good", deterministic=True), l2=True)
    named = "(deftype Mood [:enum :good :bad])" + PROGRAM.replace("[:enum :good :bad] :bad", "Mood :bad")
    assert asked_after(kit, source, catalog, [named, named, named.replace("[:enum :good", "[:enum :fair :good")]) == 2


def test_a_damaged_record_is_asked_anew(kit, source):
    import attrs

    catalog = kit.catalog(kit.provider("m", lambda _: "good", deterministic=True), l2=True)
    asked_after(kit, source, catalog, [PROGRAM])
    for damage in (5, "", "[]", '{"structured": 1}', '{"structured": false, "text": "mediocre"}', "\udc80"):
        records = kit.layers["l2"].records
        for slot, record in records.items():
            records[slot] = attrs.evolve(record, value=damage)
        before = len(kit.providers["m"].requests)
        assert asked_after(kit, source, catalog, [PROGRAM]) == before + 1


def test_a_record_that_does_not_fit_is_dropped_even_where_nothing_replaces_it(kit, source):
    import attrs

    answers = iter(["good", "mediocre"])
    catalog = kit.catalog(kit.provider("m", lambda _: next(answers), deterministic=True), l2=True)
    asked_after(kit, source, catalog, [PROGRAM])
    records = kit.layers["l2"].records
    for slot, record in records.items():
        records[slot] = attrs.evolve(record, value='{"structured": false, "text": "mediocre"}')
    run(kit, source, catalog, ("x",))
    assert not records


def test_functions_as_arguments_are_never_a_key(kit, source):
    text = """
    (defn ^:delegation :local-model "m" apply-it [f] :string "")
    (defn main [x] [(apply-it (fn [] 1)) (apply-it (fn [] 2))])
    """
    catalog = kit.catalog(kit.provider("m", lambda _: "ok", deterministic=True), l2=True)
    run(kit, source, catalog, ("x",), text)
    assert len(kit.providers["m"].requests) == 2


def test_a_reply_that_was_refused_is_not_remembered(kit, source):
    answers = iter(["mediocre", "good"])
    catalog = kit.catalog(kit.provider("m", lambda _: next(answers), deterministic=True), l2=True)
    text = PROGRAM.replace("HostError", "_")
    assert run(kit, source, catalog, ("x",), text).value == "caught TypeValidationError"
    assert run(kit, source, catalog, ("x",), text).value == Keyword("good")
