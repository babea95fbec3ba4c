"""Tickets in the kernel: whatever host drives the program, it gives the same, and the same calls are made."""

from __future__ import annotations

import gc
import weakref
from contextlib import suppress

import pytest

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.outcome import Complete, RequiresHost, RequiresHosts
from rtfs_framework.lang.codegen.stored import dump_artifact, load_artifact
from rtfs_framework.lang.errors import LanguageError, LimitError, ProgramError, generic_error
from rtfs_framework.lang.passes.table import ALL
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.signature import Purity

SETS = {"none": frozenset(), "all": ALL, **{name: frozenset({name}) for name in sorted(ALL)}}
F = '(defn ^:delegation :remote "m" f [x] (+ 100 (call :inside x))) '
TRY = "(defn safe [t] (try (await t) (catch e [:error (:kind e)]))) "


class Driver:
    """Answers a run's calls one after the other; a host that takes branches lets all that is handed over wait."""

    def __init__(self, *, locally):
        self.locally, self.calls = locally, {}

    def drive(self, run, *, concurrent):
        outcome = run.step(concurrent=concurrent)
        while not isinstance(outcome, Complete):
            outcome = (
                self.fan_out(run, outcome) if isinstance(outcome, RequiresHosts) else self.answer(run, outcome.call)
            )
        return outcome.value

    def fan_out(self, run, outcome):
        while (branch := outcome.branches.start_next()) is not None:
            with suppress(ProgramError):
                self.drive(branch, concurrent=True)
        return run.resume(None)

    def answer(self, run, call):
        if call.kind in (CallKind.TICKET, CallKind.AWAIT):
            return run.resume(None)
        assert call.path not in self.calls
        self.calls[call.path] = (call.capability, call.args)
        if self.locally and call.kind is CallKind.DELEGATED:
            return run.resume_locally()
        if "bad" in call.args:
            return run.throw(generic_error("it is bad"))
        return run.resume(sum(arg for arg in call.args if isinstance(arg, int)) + len(call.capability))


def drive(text, *, concurrent=False, locally=False, passes=ALL, stored=False, **limits):
    """Return a program's value, or the kind of its error, and its calls by id."""
    artifact = compile_source(text, passes=passes, verified=True)
    run = Instance(load_artifact(dump_artifact(artifact)) if stored else artifact, limits=Limits(**limits)).start()
    driver = Driver(locally=locally)
    try:
        return write(driver.drive(run, concurrent=concurrent)), driver.calls
    except ProgramError as error:
        return error.kind, driver.calls


PROGRAMS = {
    "(let [t (ticket (call :a 1 2))] [t (await t) (+ t 1) (ticket? t)])": "[4 4 5 true]",
    F + "(let [a (ticket (f 1)) b (ticket (f 2))] (call :z 5) [(await b) (await a) (if a 1 2)])": None,
    "(defn g [x] (call :a x)) (def t (ticket (g 4))) (call :b 9) [(await t) (await t)]": "[5 5]",
    "(mapv await [(ticket (call :a 1)) 2])": "[2 2]",
    "{:a [(ticket (call :a 3))] :b #{(ticket (call :b 1))}}": "{:a [4] :b #{2}}",
    TRY + "[(safe (ticket ((fn [] (/ 1 0))))) (safe (ticket (call :a 1)))]": '[[:error "DivisionByZero"] 2]',
    TRY + "(defn g [x] (call :a x)) (safe (ticket (g 1 2)))": '[:error "ArityMismatch"]',
    "(do (ticket ((fn [] (call :x 1)))) 3)": "3",
    '(ticket (declassify [:m] "why" (call :x 1)))': "2",
    "(str (ticket (call :x 1)))": '"2"',
    "(let [t (ticket (call :x 1)) u (ticket (call :x 1))] [(= t t) (= [t] [t]) (= [t] [u])])": "[true true false]",
    "(let [t (ticket (call :x 1))] (str [t]))": '"[#<ticket 0>]"',
    "(call :b [(ticket (call :a 7))])": "1",
    "(let [t (ticket (call :a 1))] (match t 2 :two _ :other))": ":two",
    TRY + '(let [t (ticket (call :a "bad"))] [(call :b) (safe t) (safe t)])': None,
    "(loop [i 0 ts []] (if (< i 3) (recur (inc i) (conj ts (ticket (call :a i)))) (reduce + (await-all ts))))": "6",
    "(pmap (fn [t] (* 2 (await t))) (for [x [1 2]] (ticket (call :a x))))": "[4 6]",
    F + "(let [t (ticket (f 5))] (pmap (fn [n] (+ n (await t))) [1 2 3]))": None,
    F + "(let [t (ticket (f 5))] (step-parallel (await t) (call :b) (await t)))": None,
    "(defn ticket [x] (* 2 x)) (ticket 3)": "6",
    "(let [await (fn [x] (* 2 x))] (await 3))": "6",
    "(let [t (ticket (call :a 1))] (and t (or t 3)))": "2",
    "(let [t (ticket (call :a 1)) m {:t t}] (:t m))": "2",
    "(defn g [n] (if (= n 0) 0 (+ 1 (await (ticket (g (dec n))))))) (g 20)": "20",
}  # fmt: skip


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_every_host_gives_the_same(number):
    text, wanted = list(PROGRAMS.items())[number]
    for locally in (False, True):
        value, calls = drive(text, locally=locally)
        assert wanted in (None, value)
        assert drive(text, concurrent=True, locally=locally) == (value, calls)
        for passes in SETS.values():
            assert drive(text, locally=locally, passes=passes, stored=True) == (value, calls)


def test_a_call_has_the_id_that_it_would_have_there():
    text = "(let [a {}(call :a 1)) b {}(call :b 2)) c (call :c a b)] [a b c])"
    later = drive(text.format("(ticket ", "(ticket "))
    at_once = drive(text.replace("{}(", "(").replace("1))", "1)").replace("2))", "2)"))
    assert later == at_once


def test_a_body_has_ids_below_its_ticket_whoever_awaits_it():
    text = F + "(let [t (ticket (f 1))] (call :b) BODY)"
    wanted = {(0,), (1,), (0, 0, 0)}
    for body in ("(await t)", "(pmap (fn [x] (await t)) [1 2])", "nil", "[t]"):
        for concurrent in (False, True):
            assert drive(text.replace("BODY", body), locally=True, concurrent=concurrent)[1].keys() == wanted


def test_a_ticket_costs_its_run_what_its_body_takes():
    text = F + "(let [t (ticket (f 1))] (call :b) (await t) (call :c))"
    for concurrent in (False, True):
        assert len(drive(text, locally=True, concurrent=concurrent, host_calls=4)[1]) == 4
        with pytest.raises(LimitError, match="more than 3 host calls"):
            drive(text, locally=True, concurrent=concurrent, host_calls=3)


def test_what_is_left_of_a_run_that_failed_says_so_to_whoever_awaits_it_later():
    instance = Instance(compile_source("(def t (ticket ((fn [] 1)))) (defn look [] (await t)) (throw 1)"))
    with pytest.raises(ProgramError):
        instance.start().step()
    with pytest.raises(ProgramError, match="the run was stopped"):
        instance.call("look", ()).step()


@pytest.mark.parametrize(
    ("text", "code", "says", "column"),
    [
        ("(ticket)", "E0201", "takes one call", 1),
        ("(ticket (f 1) 2)", "E0201", "takes one call", 1),
        ("(ticket 3)", "E0201", "around one call", 9),
        ("(ticket (if 1 2 3))", "E0248", "not around other forms", 9),
        ("(ticket (+ 1 2))", "E0248", "+ asks nobody", 9),
        ("(ticket (:k {:k 1}))", "E0248", ":k asks nobody", 9),
        ("(ticket (context/get :k))", "E0248", "context/get asks nobody", 9),
        ('(ticket (llm-execute "m" "p"))', "E0248", "asks nobody", 9),
        ("(ticket (ticket (call :a)))", "E0248", "not around other forms", 9),
    ],
)
def test_what_is_no_call_that_may_be_answered_later_is_refused(text, code, says, column):
    with pytest.raises(LanguageError) as refused:
        compile_source(text)
    found = refused.value.diagnostics[0]
    assert (found.code, found.span.start + 1) == (code, column)
    assert says in found.message
    assert found.help


def test_one_that_is_used_as_its_answer_says_what_to_do():
    text = "(defn g [t] (+ 1 t)) (try (g (ticket (call :a 1))) (catch TypeError e (:message e)))"
    assert "got ticket ((await t) gives what it stands for)" in drive(text)[0]
    declared = "(defn g [t : :int] t) (try (g (ticket (call :a 1))) (catch TypeValidationError e (:message e)))"
    assert "ticket" in drive(declared)[0]


@pytest.mark.parametrize("looks", ["(hash t)", "(hash [t])", "(hash {:a t})"])
def test_nobody_takes_the_digest_of_one(looks):
    assert drive(f"(defn g [t] {looks}) (g (ticket (call :a 1)))")[0] == "TypeError"


@pytest.mark.parametrize(
    ("looks", "value"),
    [
        ("[(if t 1 2) (not t) (and t 1) (boolean t) (count (filter identity [t]))]", "[1 false 1 true 1]"),
        ("[(= t 0) (= 0 t) (= t t) (not= t nil) (match t 0 :zero _ :else)]", "[false false true true :else]"),
        ("[(contains? #{0} t) (get {0 1} t :none) (index-of [0] t) (count (distinct [t t 0]))]", "[false :none nil 2]"),
        ("[(nil? t) (int? t) (empty? t) (ticket? t) (str t)]", '[false false false true "#<ticket 0>"]'),
        ("(do (await t) [(if t 1 2) (= t 0)])", "[1 false]"),  # its having come changes nothing
    ],
)
def test_what_takes_any_value_takes_one_for_what_it_is(looks, value):
    for concurrent in (False, True):
        assert drive(f"(defn g [t] {looks}) (g (ticket ((fn [] 0))))", concurrent=concurrent)[0] == value


def test_who_starts_and_who_waits_is_effectful():
    text = "(defn g [x] (ticket (h x))) (defn h [x] x) (defn w [t] (await t)) (defn l [t] (ticket? t))"
    found = {each.name: each.purity for each in compile_source(text).effects}
    assert found == {"g": Purity.EFFECTFUL, "h": Purity.PURE, "w": Purity.EFFECTFUL, "l": Purity.PURE}


def test_nothing_is_left_when_a_run_is_over():
    run = Instance(compile_source(F + "(let [t (ticket (f 1))] (await t))")).start()
    outcome = run.step(concurrent=True)
    ticket = weakref.ref(outcome.call.args[0])
    gc.disable()
    try:
        while isinstance(outcome, RequiresHost):
            kind = outcome.call.kind
            outcome = run.resume_locally() if kind is CallKind.DELEGATED else run.resume(1)
        del run, outcome
        assert ticket() is None
    finally:
        gc.enable()
