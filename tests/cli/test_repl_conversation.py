"""Conversations (`kernel.interactive`), without the REPL around them."""

from __future__ import annotations

import pytest

from rtfs_framework.kernel.interactive import Conversation
from rtfs_framework.kernel.outcome import Complete
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.lang.values import Keyword


@pytest.fixture
def talk():
    return Conversation()


def start(talk, text, name="<t>"):
    source = Source(name, text)
    return talk.start(talk.compile(talk.read(source), source))


def say(talk, text, name="<t>"):
    return PureHost().finish(start(talk, text, name))


def test_a_host_call_knows_the_input_it_stands_in(talk):
    say(talk, "(def x 1)\n  (defn ask [n] (+ n\n (call :weather n)))", "<first>")
    for number in range(3):
        run = start(talk, "(ask 5)", f"<later {number}>")
        outcome = run.step()
        assert str(outcome.call.place) == "<first>:3:2"
        assert run.resume(number) == Complete(5 + number)


def test_an_error_knows_the_inputs_of_its_stack(talk):
    say(talk, "(defn inner [x] (first x))", "<one>")
    say(talk, "\n(defn outer [x] (inc (inner x)))", "<two>")
    with pytest.raises(ProgramError) as caught:
        say(talk, "(outer 5)", "<three>")
    assert caught.value.value.span == "<one>:1:17"
    assert caught.value.value.stack == ("inner at <one>:1:17", "outer at <two>:2:22", "top level at <three>:1:1")


def test_delegated_functions_stay_delegated(talk):
    say(talk, '(defn ^:delegation :remote "m" ask [q : string] : int 1)')
    say(talk, '(defn ^:delegation :remote "n" other [q] 1)')
    calls = [start(talk, f'({name} "x")').step().call for name in ("ask", "other")]
    assert [(call.capability, call.function.name) for call in calls] == [
        ("model-call:m", "ask"),
        ("model-call:n", "other"),
    ]


def test_what_is_refused_changes_nothing(talk):
    say(talk, "(defn f [] 1) (deftype T :int) (defmacro m [] 1)")
    with pytest.raises(LanguageError):
        say(talk, "(defn f [] 2) (deftype T :string) (defmacro m [] 2) (def g 1) (let)")
    assert say(talk, "(defn typed [x : T] x) [(f) (m) (typed 3)]") == (1, 1, 3)
    assert "g" not in talk.names


def test_an_abandoned_run_leaves_the_names_bound(talk):
    say(talk, "(def x 1)")
    run = start(talk, "(do (def y 2) (call :wait) (def z 3))")
    run.step()
    run.close()
    talk.settle()
    assert say(talk, "[x y]") == (1, 2)
    assert "z" not in talk.names


def test_a_module_that_failed_half_way_is_read_again():
    texts = {"m": "(module m (:exports [a b]) (def a 1) (def b (/ 1 0)))"}
    talk = Conversation(find_module=lambda name: Source(name, texts[name]))
    with pytest.raises(ProgramError):
        say(talk, "(import m)")
    talk.settle()
    texts["m"] = texts["m"].replace("/ 1 0", "/ 4 2")
    assert say(talk, "(import m) [m/a m/b]") == (1, 2)


def test_trying_out_changes_nothing(talk):
    say(talk, "(def x 1)")
    source, before = Source("<try>", "(def x 2) (def y 3)"), talk.bound()
    assert PureHost().finish(talk.try_out(talk.compile(talk.read(source), source))) == 3
    talk.undo(before)
    assert say(talk, "x") == 1
    with pytest.raises(ProgramError, match="Undefined symbol: y"):
        say(talk, "y")


def test_generated_symbols_never_repeat(talk):
    assert say(talk, "(gensym)") != say(talk, "(gensym)")


def test_a_conversation_knows_the_names_of_the_host_prelude():
    talk = Conversation(prelude=True)
    run = start(talk, '(println "a")')
    assert (run.step().call.capability, run.resume(None)) == ("ccos.io.println", Complete(None))
    run = talk.try_out(talk.compile(talk.read(Source("<t>", "(log 1)")), Source("<t>", "(log 1)")))
    assert run.step().call.capability == "ccos.io.log"


@pytest.mark.parametrize("prelude", [False, True])
def test_a_name_of_the_library_that_an_input_defined_keeps_that_meaning(prelude):
    talk = Conversation(prelude=prelude)
    say(talk, "(defn inc [x] :mine) (defn log [x] :logged)")
    assert say(talk, "[(inc 1) (log 1) (dec 1)]") == (Keyword("mine"), Keyword("logged"), 0)
    say(talk, "(defn inc [x] :again)")
    assert say(talk, "(map inc [1])") == (Keyword("again"),)
