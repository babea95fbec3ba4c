"""Capabilities: denied unless granted, typed, under a deadline; context values and events beside them."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from rtfs_framework.api import CapabilityError, Described, Keyword, LanguageError, ProgramError
from rtfs_framework.lang.types.model import Primitive

GRANT = '[security]\ngrant = ["kv.*"]\n'
CALL = '(call :kv.get "k")'


def run(kit, source, text, capabilities, config=GRANT):
    with kit.open(kit.catalog(capabilities=capabilities), config) as session:
        return session.run(source(text))


def test_a_granted_capability_answers(kit, source, capability):
    result = run(kit, source, CALL, [capability("kv.get", lambda request: request.args[0] + "!")])
    assert result.value == "k!"
    assert result.calls[0].target == "capability kv.get"


def test_a_capability_that_waits_answers_too(kit, source, capability):
    async def slow(request):
        await anyio.sleep(0.001)
        return request.id

    assert run(kit, source, CALL, [capability("kv.get", slow)]).value == "kv.get"


@pytest.mark.parametrize(
    ("config", "reason", "way_out"),
    [
        ("", "not granted", 'add  grant = ["kv.get"]  under [security]'),
        ("[security]\ngrant = ['kv.put']\n", "not granted", "add  grant"),
        ("[security]\ngrant = ['*']\ndeny = ['kv.*']\n", "denied by 'kv.*'", "remove it from deny"),
        ("[security]\nlevel = 'full'\ndeny = ['kv.get']\n", "denied by 'kv.get'", "remove it from deny"),
        ("[security]\nlevel = 'pure'\ngrant = ['*']\n", "level 'pure'", 'set level = "controlled"'),
    ],
)
def test_the_rest_is_a_security_violation_with_the_way_out(kit, source, capability, config, reason, way_out):
    asked = []
    with pytest.raises(ProgramError) as caught:
        run(kit, source, CALL, [capability("kv.get", asked.append)], config)
    assert caught.value.kind == "SecurityViolation"
    assert caught.value.message.startswith(
        "Security violation: call operation on capability 'kv.get' not allowed in context: "
    )
    assert reason in caught.value.message
    assert way_out in caught.value.message
    assert not asked


def test_level_full_needs_no_grant(kit, source, capability):
    assert run(kit, source, CALL, [capability("kv.get", lambda _: 1)], "[security]\nlevel = 'full'\n").value == 1


def test_refusals_are_counted(kit, source, capability):
    text = f"(try {CALL} (catch SecurityViolation e :no))"
    result = run(kit, source, text, [capability("kv.get", lambda _: 1)], "")
    assert result.summary.refused == 1
    assert result.calls[0].refused


def test_an_unknown_capability_names_the_nearest(kit, source, capability):
    with pytest.raises(ProgramError, match=r"Unknown capability: kv.gte; did you mean 'kv.get'\?"):
        run(kit, source, '(call :kv.gte "k")', [capability("kv.get", lambda _: 1)])


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (CapabilityError("gone", "IoError"), "IoError"),
        (CapabilityError("bad"), "Generic"),
        (OSError("x"), "NetworkError"),
    ],
)
def test_a_failing_capability_is_an_error_that_the_program_catches(kit, source, capability, failure, kind):
    def fails(_request):
        raise failure

    async def fails_later(_request):
        await anyio.lowlevel.checkpoint()
        raise failure

    text = f"(try {CALL} (catch _ e (:kind e)))"
    for handler in (fails, fails_later):
        result = run(kit, source, text, [capability("kv.get", handler)])
        assert result.value in (kind, f":{kind}") or result.value.name == kind
        assert len(result.calls) == 1


def test_a_capability_that_hangs_is_stopped(kit, source, capability):
    async def hang(_request):
        await anyio.sleep_forever()

    text = f"^{{:runtime.learning.timeout {{:timeout-ms 20}}}} (try {CALL} (catch _ e (getMessage e)))"
    result = run(kit, source, f"(defn main [] {text})\n(main)", [capability("kv.get", hang)])
    assert "no answer within 0.02 s" in result.value


def test_arguments_and_answers_are_checked_against_what_the_entry_declares(kit, source, capability):
    typed = capability("kv.get", lambda _: 5, parameters=(Primitive.STRING,), returns=Primitive.STRING)
    for text, message in (
        ("(call :kv.get 1)", "argument 1 of capability 'kv.get'"),
        ("(call :kv.get)", "Arity mismatch in kv.get: expected 1, got 0"),
        (CALL, "the answer of capability 'kv.get'"),
    ):
        with pytest.raises(ProgramError, match=message):
            run(kit, source, text, [typed])


def test_a_free_name_is_the_capability_that_offers_it(kit, source, capability):
    kv = capability("kv.get", lambda request: len(request.args), names=("kv-get",))
    assert run(kit, source, "(kv-get 1 2 3)", [kv]).value == 3


def test_a_name_that_nobody_knows_is_refused_before_anything_runs(kit, source, capability):
    asked = []
    with pytest.raises(LanguageError) as caught:
        run(kit, source, f"{CALL}\n(kv-gte 1)", [capability("kv.get", asked.append, names=("kv-get",))])
    found = caught.value.diagnostics[0]
    assert (found.code, found.place.line, found.place.column) == ("E0203", 2, 2)
    assert "kv-get" in found.help
    assert not asked


def test_context_values_come_from_the_configuration_and_from_the_program(kit, source):
    config = '[security.context]\nuser = "Ada"\n'
    text = "(context/set :n 1) [@user (context/get :n) (context/get :none)]"
    assert run(kit, source, text, (), config).value == ("Ada", 1, None)
    with pytest.raises(ProgramError, match="Undefined symbol: nobody"):
        run(kit, source, "@nobody", (), config)


def test_steps_are_told_to_observers(kit, source, observer):
    seen = []
    with kit.open(kit.catalog(observers=[observer("o", seen.append, ("program.event",))])) as session:
        assert session.run(source('(step "one" (+ 1 2))')).value == 3
    assert [event.fields["event"] for event in seen if event.fields["event"].startswith("step")] == [
        "step-start",
        "step-done",
    ]


@pytest.mark.parametrize("waits", [False, True])
def test_where_nothing_carries_marks_a_marked_error_tells_no_more_than_a_marked_answer(kit, source, capability, waits):
    seen = []

    def outcome(request):
        seen.append(request.carries_marks)
        if len(seen) == 1:
            raise CapabilityError("m is more than 4000", "TypeError", marks=frozenset({"pii"}))
        return Described(1, marks=frozenset({"pii"}))

    async def later(request):
        return outcome(request)

    tried = '(try (call :kv.get "k") (catch e [(:type e) (str e)]))'
    text = f"[{tried} {tried}]"
    failed, answered = run(kit, source, text, [capability("kv.get", later if waits else outcome)]).value
    assert failed == answered
    assert "carries :pii, and nothing here carries marks" in failed[1]
    assert seen == [False, False]
    seen[:] = [0]
    with kit.open(
        kit.catalog(capabilities=[capability("kv.get", outcome)]), GRANT + "[labels.inputs]\nx = ['pii']\n"
    ) as s:
        s.run(source(CALL))
    assert seen[1:] == [True]


@pytest.mark.parametrize("wrong", [{"parameters": (":no[",)}, {"returns": ":no["}])
def test_types_that_are_none_are_the_plug_in_s_fault_and_an_error_of_the_call(kit, capability, wrong):
    catalog = kit.catalog(capabilities=[capability("odd", lambda _: 1, **wrong)])
    with kit.open(catalog, '[security]\ngrant = ["odd"]\n') as session:
        assert session.run("(try (call :odd 1) (catch e :told))").value == Keyword("told")
        assert "the type ':no[' is none" in session.host.events.faults.problems[0].message
