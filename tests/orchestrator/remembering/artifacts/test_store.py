"""The second run of a program compiles nothing; whatever it depends on, changed, makes it a first run again."""

from __future__ import annotations

import pytest

from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.remembering.artifacts import store

PROGRAM = '(defn fib [n :int] :int (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) {:fib (fib 15) :list ["a" nil 1.5]}'


def test_the_second_run_compiles_nothing(value, compiled):
    first = value(PROGRAM)
    assert compiled == ["<test>"]
    assert value(PROGRAM) == first
    assert compiled == ["<test>"]


def test_a_kept_program_fails_as_it_did(opened):
    text = "(defn half [n]\n  (/ n 0))\n(half 1)"

    def failure():
        with opened() as session, pytest.raises(ProgramError) as caught:
            session.run(Source("p.rtfs", text))
        error = caught.value.value
        return error.kind, error.message, error.span, error.stack

    first = failure()
    assert first[:3] == ("DivisionByZero", "Division by zero", "p.rtfs:2:3")
    assert failure() == first


def test_a_refused_program_is_refused_each_time(value, compiled):
    for _ in range(2):
        with pytest.raises(LanguageError, match="E0203"):
            value("(no-such-function 1)")
    for _ in range(2):
        with pytest.raises(LanguageError, match="E0101"):
            value("(+ 1")
    assert len(compiled) >= 3


@pytest.mark.parametrize(("text", "name"), [(f"{PROGRAM} ", "<test>"), (PROGRAM, "other")])
def test_another_text_or_name_is_another_program(value, compiled, text, name):
    value(PROGRAM)
    value(text, name)
    assert len(compiled) == 2


def test_another_compiler_is_not_believed(value, compiled, monkeypatch):
    value(PROGRAM)
    ordinary = store.build()
    for place in range(len(ordinary)):
        changed = (*ordinary[:place], "another", *ordinary[place + 1 :])
        monkeypatch.setattr(store, "build", lambda changed=changed: changed)
        value(PROGRAM)
    assert len(compiled) == 1 + len(ordinary)


def test_the_compilers_options_count(opened):
    with opened() as session:
        keys = [store.key_of(Source("p", "1"), {"prelude": prelude}) for prelude in (False, True)]
        assert keys[0] != keys[1]
        assert session.run(Source("p", "1")).value == 1


def test_a_changed_module_is_noticed(value, compiled, tmp_path):
    module = tmp_path / "shapes.rtfs"
    program = "(import shapes) (shapes/area 3)"
    module.write_text("(module shapes (:exports [area]) (defn area [r] (* r r)))", encoding="utf-8")
    assert value(program) == 9
    assert value(program) == 9
    assert len(compiled) == 1
    module.write_text("(module shapes (:exports [area]) (defn area [r] (* 4 r)))", encoding="utf-8")
    assert value(program) == 12
    assert len(compiled) == 2
    module.unlink()
    with pytest.raises(LanguageError):
        value(program)


def test_a_module_that_comes_first_now_is_noticed(value, compiled, tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    config = '[modules]\npath = ["more"]\n'
    (folder / "m.rtfs").write_text("(module m (:exports [x]) (def x 1))", encoding="utf-8")
    assert value("(import m) m/x", config=config) == 1
    (tmp_path / "m.rtfs").write_text("(module m (:exports [x]) (def x 1))", encoding="utf-8")
    assert value("(import m) m/x", config=config) == 1
    assert len(compiled) == 2


def test_a_route_that_was_added_is_noticed(value, compiled):
    program = "(defn greet [] :int 1) (greet)"
    assert value(program) == 1
    assert value(program, config='[delegation.static_routes]\ngreet = "local-pure"\n') == 1
    assert len(compiled) == 2


def test_switched_off_nothing_is_kept(value, compiled, shelf):
    for _ in range(2):
        value(PROGRAM, config="[caches.l4]\nenabled = false\n")
    assert len(compiled) == 2
    assert shelf.entries == {}


def test_without_a_key_nothing_is_kept(value, compiled, shelf, tmp_path):
    (tmp_path / "home").write_text("no folder can be here", encoding="utf-8")
    assert value("(+ 1 2)") == 3
    assert shelf.entries == {}
    assert compiled == ["<test>"]


OFF = "[caches.l4]\nenabled = false\n"


def test_a_session_without_the_layer_compiles_a_program_once(opened, compiled, shelf):
    with opened(config=OFF) as session:
        assert [session.run(Source("p", f"(+ {n} 1)")).value for n in (1, 2, 1, 2)] == [2, 3, 2, 3]
        assert session.run(Source("q", "(+ 1 1)")).value == 2  # another name: errors would name another file
    assert compiled == ["p", "p", "q"]
    assert shelf.entries == {}


def test_what_is_at_hand_counts_while_its_modules_are_the_same(opened, compiled, tmp_path):
    module = tmp_path / "shapes.rtfs"
    program = Source("p", "(import shapes) (shapes/area 3)")
    with opened(config=OFF) as session:
        for body, area in (("(* r r)", 9), ("(* 4 r)", 12)):
            module.write_text(f"(module shapes (:exports [area]) (defn area [r] {body}))", encoding="utf-8")
            assert [session.run(program).value for _ in range(2)] == [area, area]
        module.unlink()
        with pytest.raises(LanguageError):
            session.run(program)
    assert len(compiled) == 3


def test_what_is_at_hand_is_bounded_in_number_and_length(opened, compiled, monkeypatch):
    monkeypatch.setattr(store, "AT_HAND", 2)
    monkeypatch.setattr(store, "LONGEST", 100)
    with opened(config=OFF) as session:
        for n in (1, 2, 3, 3, 1):
            session.run(Source("p", f"{n}"))
        for _ in range(2):
            session.run(Source("p", f"; {'x' * 100}\n4"))
    assert len(compiled) == 6  # 1 was dropped for 3, and what is too long is never at hand


def test_clearing_forgets_what_is_at_hand(opened, compiled):
    with opened(config=OFF) as session:
        session.run(Source("p", "1"))
        session.host.artifacts.clear()
        session.run(Source("p", "1"))
    assert len(compiled) == 2
