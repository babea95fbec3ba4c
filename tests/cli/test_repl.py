"""`rtfs repl` without a terminal: forms come from a pipe, values go to stdout, reports to stderr."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture
def talk(rtfs):
    """Feed lines to the REPL."""
    return lambda text, *args: rtfs("repl", *args, stdin=text)


def test_values_are_printed_form_by_form(talk):
    result = talk('(+ 1 2) (str "a" "b")\n[1\n 2]\n')
    assert (result.lines, result.code, result.err) == (["3", '"ab"', "[1 2]"], 0, "")


def test_definitions_stay_and_may_be_replaced(talk):
    text = "(def x 1)\n(defn f [] (* 10 x))\n(f)\n(def x 2)\n(f)\n(defn g [] (f))\n(defn f [] :new)\n(g)\n"
    assert talk(text).lines[2::2] == ["10", "20", "#<function>"]
    assert talk(text).lines[-1] == ":new"


def test_a_function_may_become_something_else(talk):
    result = talk("(defn f [k] k)\n(defn g [] (f :a))\n(g)\n(def f {:a 7})\n(g)\n(def f 5)\n(g)\n")
    assert result.lines[2] == ":a"
    assert result.lines[4] == "7"
    assert "expected function, got integer" in result.err


def test_a_later_definition_fills_a_gap(talk):
    result = talk("(defn f [x] (helper x))\n(defn helper [x] (inc x))\n(f 1)\n(def helper {1 :one})\n(f 1)\n")
    assert result.lines[2::2] == ["2", ":one"]
    assert "warning[E0203]: unknown symbol 'helper'" in result.err
    assert result.code == 0


def test_names_of_the_same_input_need_no_warning(talk):
    result = talk("(defn f [x] (helper x)) (defn helper [x] (inc x)) (f 1)\n")
    assert (result.lines[-1], result.err) == ("2", "")


def test_macros_types_structs_and_modules_stay(talk, folder):
    (folder / "tools.rtfs").write_text("(module tools (:exports [twice]) (defn twice [x] (* 2 x)))", encoding="utf-8")
    result = talk(
        "(defmacro unless [t e] `(if ~t nil ~e))\n(unless false 1)\n"
        "(deftype Id :int)\n(defn of [i : Id] i)\n(of 3)\n(deftype Id :string)\n(of 3)\n"
        "(import tools :as t)\n(t/twice 4)\n(import tools :only [twice])\n(twice 5)\n"
    )
    assert [result.lines[i] for i in (1, 4, 7, 9)] == ["1", "3", "8", "10"]
    assert "TypeValidationError" in result.err


def test_validate_knows_the_types_of_all_inputs(talk):
    text = "(def fits? validate)\n(deftype Id :int)\n[(fits? :Id 1) (validate Id 1)]\n"
    text += "(deftype Id :string)\n(fits? :Id 1)\n"
    assert talk(text).lines[2::2] == ["[true true]", "false"]


def test_a_function_takes_the_place_of_a_macro_and_back(talk):
    result = talk("(defmacro m [x] 1)\n(m 5)\n(defn m [x] x)\n(m 5)\n(defmacro m [x] 2)\n(m 5)\n")
    assert result.lines[1::2] == ["1", "5", "2"]


def test_tail_calls_and_closures_work_across_inputs(talk):
    text = "(defn down [n] (if (= n 0) :done (down (dec n))))\n(down 300000)\n"
    text += "(def fs (map (fn [x] (fn [] (down x))) [1 2]))\n((first fs))\n"
    assert talk(text).lines[1::2] == [":done", ":done"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("(def a 1)\n(foo", "E0101", "<input 2>:1:1"),
        ("(lett [a 1] a)", "E0203", "<input 1>:1:2"),
        ("(let [a] a)", "E0201", "<input 1>:1:7"),
        ("(defn f [x]\n  (/ x 0))\n(f 1)", "E0504", "<input 1>:2:3"),
        ("(inc 1 2 3)", "E0204", "<input 1>:1:1"),
        ("(apply inc [1 2 3])", "E0503", "<input 1>:1:1"),
        ('(call :fs.read "x")', "E0500", "<input 1>:1:1"),
        (":doc nothing-like-it", "E0913", ""),
        (":doc", "E0913", ""),
        (":reset now", "E0913", ""),
        (":load nowhere.rtfs", "E0901", ""),
        (":type (lett 1)", "E0203", "<expression>:1:2"),
        (":expand (let)", "E0201", "<expression>:1:1"),
        ("(import nowhere)", "E0221", "<input 1>:1:1"),
        ("(defn ^:delegation :localfoo f [] 1)", "E0110", "<input 1>:1:20"),
    ],
)
def test_every_mistake_is_a_report_with_code_and_place(talk, text, code, place):
    result = talk(f"{text}\n")
    assert result.code == 1
    assert f"[{code}]" in result.err
    assert place in result.err
    assert "Traceback" not in result.err


def test_a_refused_or_failed_input_leaves_no_trace(talk):
    result = talk('(def x 1)\n(do (def x 2) (foo))\nx\n(do (throw "no") (def y 1))\ny\n')
    assert result.lines == ["1", "1"]
    assert "unknown symbol 'y'" in result.err


def test_calls_are_refused_clearly_without_a_configuration(talk):
    assert "capability 'fs.read' is not available in pure mode" in talk('(call :fs.read "x")\n').err


def test_calls_go_to_the_configured_host(talk, folder, monkeypatch):
    monkeypatch.setenv("RTFS_TRUST", "1")
    (folder / "delegation.toml").write_text('[security.context]\nregion = "eu"\n', encoding="utf-8")
    assert talk("(str region 1)\n").lines == ['"eu1"']
    assert "[E0" in talk('(defn ^:delegation :remote "none" f [] 1)\n').err


def test_last_values_and_the_last_error_have_names(talk):
    result = talk("1\n2\n3\n[*1 *2 *3]\n(/ 1 0)\n(:kind *e)\n")
    assert result.lines[3:] == ["[3 2 1]", '"DivisionByZero"']


def test_commands(talk, folder):
    (folder / "area.rtfs").write_text(
        '(defn area "W by h." [w : int h : int] : int (* w h))\n(area 2 3)', encoding="utf-8"
    )
    result = talk(
        ":load area.rtfs\n:doc area\n:type area\n:type [1 2.5]\n:type {:a nil}\n:type map\n"
        ":type (def hidden 1)\n:expand (-> 1 inc)\n:ir (inc 1)\n"
    )
    assert result.lines == [
        "6",
        "(area w : :int h : :int) : :int  [function of the program]",
        "  W by h.",
        "(area w : :int h : :int) : :int",
        "[:vector [:union :int :float]]",
        "[:map [:a :nil]]",
        "(map f collection & more)  [function]",
        ":int",
        "(inc 1)",
        "(call (builtin inc) 1)",
    ]
    assert result.err == ""


def test_what_type_defines_does_not_stay(talk):
    result = talk("(def x 1)\n:type (def x 2)\nx\n:type (def z 2)\nz\n")
    assert result.lines == ["1", ":int", "1", ":int"]
    assert "unknown symbol 'z'" in result.err


def test_type_never_asks_the_host(talk, folder):
    (folder / "delegation.toml").write_text("", encoding="utf-8")
    text = ":type (call :fs.read 1)\n:type (str (call :fs.read 1))\n(defn f [] : int (call :fs.read 1))\n:type (f)\n"
    text += ':type (if (get :k) 1 "a")\n:type (step "s" 1)\n'
    asked = "[not run: it asks its host for fs.read]"
    lines = talk(text).lines
    assert lines[:2] == [f"any value  {asked}", f"a string  {asked}"]
    assert lines[3:5] == [f"an integer  {asked}", "an integer or a string  [not run: it asks its host for k]"]
    assert lines[5] == ":int"


def test_doc_shows_grammar_examples_and_delegation(talk):
    result = talk(
        ":doc let\n:doc E0203\n:doc ->\n:doc reverse\n(def limit 3)\n:doc limit\n"
        '(defn ^:delegation :remote "big" f [] 1)\n:doc f\n'
    )
    for shown in (
        "E0203: ",
        "(let [pattern value ...]",
        "(-> value form...)",
        "=>",
        "limit : :int",
        'remote provider "big"',
    ):
        assert shown in result.out


def test_python_of_an_expression_can_be_seen(talk):
    assert "def rtfs_main" in talk(":py (inc 1)\n").out


def test_history_shows_the_inputs(talk):
    assert talk("(def x 1)\n[x\n x]\n:history\n").lines[2:] == ["   1  (def x 1)", "   2  [x", "       x]"]


def test_reset_forgets_and_quit_leaves(talk):
    result = talk("(def x 1)\n:reset\nx\n:quit\n(+ 1 1)\n")
    assert result.lines == ["1", "all definitions are forgotten"]
    assert "unknown symbol 'x'" in result.err


def test_a_lone_keyword_is_a_value_and_may_be_a_slip(talk):
    result = talk(":hepl\n:name\n")
    assert result.lines == [":hepl", ":name"]
    assert "did you mean ':help'" in result.err


def test_help_lists_every_command(talk, rtfs):
    out = talk(":help\n").out
    assert all(f":{name}" in out for name in ("doc", "type", "expand", "ir", "py", "load", "reset", "history", "quit"))
    assert "rtfs repl --load triage.rtfs" in rtfs("repl", "--help").out


def test_load_option_runs_a_program_first(talk, folder):
    (folder / "one.rtfs").write_text("(def one 1)", encoding="utf-8")
    assert talk("(inc one)\n", "--load", "one.rtfs").lines == ["2"]
    assert talk("1\n", "--load", "two.rtfs").code == 2


def test_interrupting_a_tight_loop_keeps_the_definitions(folder):
    command = [sys.executable, "-c", "from rtfs_framework.cli.main import main; main()", "repl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=folder) as repl:
        repl.stdin.write("(def x 41)\n(do (loop [i 0] (recur (inc i))))\n")
        repl.stdin.flush()
        assert repl.stdout.readline() == "41\n"
        time.sleep(0.5)
        repl.send_signal(signal.SIGINT)
        assert "interrupted" in repl.stderr.readline()
        out, err = repl.communicate("(inc x)\n", timeout=30)
    assert (out, err, repl.returncode) == ("42\n", "", 1)


@pytest.mark.needs("rtfs-provider-openai")
def test_without_a_configuration_nothing_leaves_even_if_a_key_is_set(talk, rtfs, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    result = talk('(defn twice "Twice as much." [x : :int] : :int (* x 2))\n(twice 21)\n')
    assert result.out.splitlines()[-1] == "42"
    assert result.err == ""
    assert rtfs("runs", "list", "--json").data["runs"] == [], "no host, so no run"
