"""`rtfs write`: a loopback server plays the model."""

from __future__ import annotations

import signal
import sys

import pytest

from rtfs_framework.cli.commands import write as command
from rtfs_framework.cli.writing import kept
from rtfs_framework.cli.writing.kept import keep
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.testing.openai_server import Fail, Hang, OpenAIServer, Say

pytestmark = pytest.mark.needs("rtfs-provider-openai")

CONFIG = """
[delegation.remote_providers.big]
provider = "openai"
endpoint = "{url}"
api_key_env = "WRITE_KEY"
model = "m"
input_cost = 1000
output_cost = 2000
"""
UNKNOWN = "Sure!\n```clojure\n(defn main [text] (cont text))\n```"
LETTERS = "```rtfs\n(defn main [text] (count text))\n```"
WORDS = '(defn main [text] (count (split text " ")))'
SECRET = "sk-secret-12345678"


@pytest.fixture
def writer(rtfs, folder, monkeypatch):
    """Run `rtfs write` against a server of this script; returns the result and the server."""
    monkeypatch.setenv("WRITE_KEY", SECRET)

    def go(script, *args, task="count the words", more="", stdin=""):
        with OpenAIServer(map(_said, script), then=Fail(500)) as server:
            (folder / "own.toml").write_text(CONFIG.format(url=server.url) + more, encoding="utf-8")
            return rtfs("write", task, "--config", "own.toml", *args, stdin=stdin), server

    return go


def _said(each):
    return Say(each, usage=(100, 50)) if isinstance(each, str) else each


def test_two_wrong_programs_and_a_right_one(writer, rtfs, folder):
    found, server = writer(
        [UNKNOWN, LETTERS, WORDS], "--args", "a b c", "--example", '"a b" => 2', "--out", "w.rtfs", "--yes"
    )
    assert (found.code, found.out) == (0, "3\n")
    first, second, third = (request.body["messages"] for request in server.requests)
    assert [each["role"] for each in first] == ["system", "user"]
    assert "RTFS is a small, pure Lisp" in first[0]["content"]
    assert '(main "a b") => 2' in first[0]["content"]
    assert first[1]["content"] == "count the words"
    assert [each["role"] for each in second] == ["system", "user", "assistant", "user"]
    assert "program.rtfs:1:20: error[E0203]: unknown symbol 'cont'" in second[3]["content"]
    assert "did you mean 'count'?" in second[3]["content"]
    assert '(main "a b") must give 2, and gives 3' in third[3]["content"]
    assert "cont " not in third[3]["content"]
    assert (folder / "w.rtfs").read_text() == WORDS + "\n"
    assert "round 3: right" in found.err
    assert "1 example tried: as expected" in found.err
    assert "program: main is pure" in found.err
    run, *calls = rtfs("runs", "show", "last", "--json").records
    assert run["run"]["source"] == "<write>"
    assert [call["symbol"] for call in calls] == ["write-program"] * 3
    assert sum(call["cost"] for call in calls) == pytest.approx(0.6)
    assert SECRET not in found.err + str([each.body for each in server.requests])


def test_as_json(writer):
    found, _ = writer([LETTERS, WORDS], "--example", '"a b" => 2', "--args", "a b c", "--json", "--yes")
    written, ran = found.records
    assert (written["outcome"], written["model"], written["repairs"], written["ran"]) == (
        "right",
        "remote-big",
        1,
        True,
    )
    assert [each["outcome"] for each in written["rounds"]] == ["wrong", "right"]
    assert written["program"] == WORDS + "\n"
    assert written["cost"] == pytest.approx(0.4)
    assert written["examples"] == {"right": 1, "not_run": 0}
    assert ran["value"] == 3


def test_a_failure_as_json_has_all_rounds(writer):
    found, _ = writer([UNKNOWN, "Sure."], "--repairs", "1", "--json")
    assert (found.code, found.err) == (1, "")
    assert [each["outcome"] for each in found.data["rounds"]] == ["wrong", "prose"]
    assert found.data["rounds"][0]["program"] == "(defn main [text] (cont text))\n"
    assert [each["code"] for each in found.data["errors"]] == ["E0983"]
    assert found.data["rounds"][1]["reply"] == "Sure."


def test_without_a_terminal_nothing_is_run(writer):
    found, _ = writer([WORDS])
    assert (found.code, found.out) == (0, WORDS + "\n")
    assert "not run: nobody can be asked here; say --yes to run it" in found.err


@pytest.mark.parametrize(("answer", "value"), [("y\n", "3\n"), ("\n", WORDS + "\n")], ids=["yes", "no"])
def test_at_a_terminal_somebody_is_asked(writer, monkeypatch, answer, value):
    monkeypatch.setattr(command, "is_terminal", lambda _: True)
    found, _ = writer([WORDS], "--args", "a b c", stdin=answer)
    assert (found.code, found.out) == (0, value)
    assert "run it?" in found.err
    assert WORDS in found.err


ENDS = {
    "empty": (["", ""], "E0981"),
    "refused": (["I'm sorry, but I can't help with that."], "E0982"),
    "prose": (["It counts words.", "Just count them."], "E0983"),
    "too long": (["(" * 70_000, "(" * 70_000], "E0984"),
    "wrong": ([UNKNOWN, UNKNOWN], "E0985"),
}


@pytest.mark.parametrize(("replies", "code"), ENDS.values(), ids=ENDS)
def test_each_end_has_a_code(writer, folder, replies, code):
    found, server = writer(replies, "--repairs", "1", "--out", "w.rtfs")
    assert found.code == 1
    assert f"error[{code}]" in found.err
    assert len(server.requests) == len(replies)
    assert found.out == ""
    assert not (folder / "w.rtfs").exists()


def test_a_file_that_is_there_is_left_alone(writer, folder):
    (folder / "w.rtfs").write_text("mine")
    found, server = writer([WORDS], "--out", "w.rtfs", "--yes")
    assert (found.code, server.requests) == (2, [])
    assert "error[E0935]: w.rtfs is there already" in found.err
    assert (folder / "w.rtfs").read_text() == "mine"
    found, _ = writer([WORDS], "--out", "w.rtfs", "--force", "--no-run")
    assert (found.code, (folder / "w.rtfs").read_text()) == (0, WORDS + "\n")


def test_a_file_that_came_meanwhile_is_left_alone(writer, folder, monkeypatch):
    def late(*args):
        (folder / "w.rtfs").write_text("mine")
        return keep(*args)

    monkeypatch.setattr(kept, "keep", late)
    found, _ = writer([WORDS], "--out", "w.rtfs", "--no-run")
    assert (found.code, (folder / "w.rtfs").read_text()) == (0, "mine")
    assert "w.rtfs is there by now: not written" in found.err


def test_nothing_may_be_repaired_by_no_program(writer):
    found, server = writer(["", WORDS], "--no-run")
    assert (found.code, found.out) == (0, WORDS + "\n")
    assert server.requests[1].body["messages"][-1]["content"].startswith("The reply is empty. Answer with one RTFS")


def test_the_last_program_is_kept(writer, folder):
    found, _ = writer([UNKNOWN], "--repairs", "0")
    (path,) = (folder / "home").rglob("written/*.rtfs")
    assert path.read_text() == "(defn main [text] (cont text))\n"
    assert str(path) in found.err


def test_calls_that_nobody_would_serve_are_mended(writer):
    found, server = writer(['(call :mail.send "a")', "(+ 1 2)"], "--yes")
    assert (found.code, found.out) == (0, "3\n")
    assert "mail.send" in server.requests[1].body["messages"][-1]["content"]


def test_a_program_must_take_what_it_is_given(writer):
    found, server = writer(["(defn main [] 1)", WORDS], "--args", "a b", "--yes")
    assert (found.code, found.out) == (0, "2\n")
    assert "main takes 0 arguments" in server.requests[1].body["messages"][-1]["content"]


def test_of_an_input_only_the_form_is_told(writer, folder):
    (folder / "m.jsonl").write_text('{"body": "my very own secret", "stars": 3}\n')
    program = '(defn main [record] (count (split (get record "text") " ")))'
    found, server = writer([program], "--input", "m.jsonl", "--column", "body", "--yes", "--json")
    assert found.code == 0
    told = str(server.requests[0].body)
    assert "(defn main [record] ...)" in told
    assert "stars" in told
    assert "secret" not in told
    assert found.records[1]["value"] == 4


def test_what_asks_its_host_is_not_run_for_examples(writer):
    program = '(defn ^:delegation :remote "big" f "Judge." [x] 1) (defn main [x] (f x))'
    found, _ = writer([program], "--example", "1 => 2", "--no-run")
    assert found.code == 0
    assert "examples are not run: the program may ask its host" in found.err
    assert "what a run costs is not known: that depends on what it is given" in found.err
    assert "f leaves the kernel" in found.err


def test_an_example_may_want_an_error(writer):
    found, server = writer(
        ["(defn main [x] x)", "(defn main [x] (/ 1 x))"], "--example", "0 => !DivisionByZero", "--no-run"
    )
    assert found.code == 0
    assert "must give error DivisionByZero, and gives 0" in server.requests[1].body["messages"][-1]["content"]


def test_a_program_without_an_end_is_wrong(writer):
    found, server = writer(
        ["(defn main [x] (loop [] (recur)))", "(defn main [x] x)"], "--example", "0 => 0", "--no-run"
    )
    assert found.code == 0
    assert "comes to no end" in server.requests[1].body["messages"][-1]["content"]


LABELS = '[labels]\nmarks = ["secret"]\n'


def test_a_marked_task_goes_to_nobody_who_may_not_see_it(writer):
    found, server = writer([WORDS], "--label", "secret", more=LABELS)
    assert found.code == 1
    assert server.requests == []
    assert "error[E0" in found.err


SEES = LABELS + '[labels.accepts]\n"remote-big" = ["secret"]\n'
TELLS = '(defn ^:delegation :remote "other" ask "Say it." [x] (str "own: " x))\n'
RUNS = {
    "once": (TELLS + '(ask "swordfish")', ()),
    "with text": (TELLS + '(defn main [x] (ask "swordfish"))', ("--args", "a")),
    "records": (TELLS + '(defn main [record] (ask "swordfish"))', ("--input", "m.jsonl")),
}


@pytest.fixture
def other():
    """The model of another provider, and what makes it known."""
    with OpenAIServer(then=Say("OTHER-SAW")) as server:
        table = CONFIG.replace("big", "other").format(url=server.url)
        yield server, f'{table}[write]\nmodel = "remote-big"\n'


@pytest.mark.parametrize(("program", "args"), RUNS.values(), ids=RUNS)
def test_a_program_of_a_marked_task_keeps_its_marks_when_it_runs(writer, folder, other, program, args):
    server, table = other
    (folder / "m.jsonl").write_text('{"text": "a"}\n')
    found, asked = writer([program], *args, "--label", "secret", "--yes", "--json", more=table + SEES)
    assert (found.code, len(asked.requests), server.requests) == (0, 1, [])
    written = found.records[0]
    assert written["marks"] == ["secret"]
    (site,) = [each for each in written["about"]["labels"] if "ask" in each["text"]]
    assert site["marks"] == ["secret"]
    assert "remote other" in site["refused"]
    found, _ = writer([program], *args, "--yes", "--json", more=table + SEES)
    assert server.requests, "without a mark it is asked"


def test_marks_of_a_task_are_told(writer, other):
    found, _ = writer([TELLS + '(ask "swordfish")'], "--label", "secret", "--no-run", more=other[1] + SEES)
    assert "program: its text carries :secret" in found.err
    assert ":secret: the program's text, by the program" in found.err
    assert ", remote other\n" in found.err.split("; not by ")[1]


def test_marks_of_the_models_answers_go_with_the_program(writer, other):
    server, table = other
    more = table + LABELS + '[labels.providers]\n"remote-big" = ["secret"]\n'
    found, _ = writer([TELLS + '(ask "swordfish")'], "--yes", "--json", more=more)
    assert (found.code, server.requests) == (0, [])
    assert found.records[0]["marks"] == ["secret"]


def test_what_the_journal_may_not_keep_is_in_no_file_of_programs(writer, folder, other):
    found, _ = writer([WORDS], "--label", "secret", "--no-run", more=other[1] + SEES)
    assert "the program is not kept: the journal may not keep what carries :secret" in found.err
    assert list((folder / "home").rglob("written/*.rtfs")) == []


def test_a_marked_program_that_the_journal_may_keep_is_kept(writer, folder, other):
    more = other[1] + SEES + 'journal = ["secret"]\n'
    writer([WORDS], "--label", "secret", "--no-run", more=more)
    (path,) = (folder / "home").rglob("written/*.rtfs")
    assert path.read_text() == WORDS + "\n"


def test_examples_are_run_with_the_marks_of_the_task(writer, monkeypatch):
    seen = []
    run = Session.run
    monkeypatch.setattr(Session, "run", lambda self, linked, *rest: (seen.append(linked), run(self, linked, *rest))[1])
    found, _ = writer([WORDS], "--example", '"a b" => 2', "--label", "secret", "--no-run", more=SEES)
    assert found.code == 0
    assert [sorted(each.terms.marks) for each in seen] == [["secret"], []], "the expected value is the user's"


def test_budgets_hold(writer):
    found, server = writer([UNKNOWN, WORDS], more='[budgets.few]\ncalls = 1\nper = "day"\n')
    assert found.code == 1
    assert len(server.requests) == 1
    assert "budget" in found.err


BAD = {
    "no task": (" ",),
    "too long": ("x" * 40_000,),
    "both": ("t", "--args", "a", "--input", "x.csv"),
    "both ways": ("t", "--yes", "--no-run"),
    "stdin": ("t", "--input", "-"),
    "no example": ("t", "--example", "1"),
    "no model": ("t", "--model", "nobody"),
    "no mark": ("t", "--label", "secret"),
}


@pytest.mark.parametrize("args", BAD.values(), ids=BAD)
def test_bad_command_lines(writer, args):
    task, *others = args
    found, server = writer([WORDS], *others, task=task)
    assert found.code == 2
    assert server.requests == []


def test_no_model(rtfs, monkeypatch):
    monkeypatch.setenv("RTFS_PLUGINS", "")
    found = rtfs("write", "t")
    assert found.code == 2
    assert "error[E0980]" in found.err
    assert "--model NAME" in found.err


def test_the_configuration_names_the_model(writer):
    others = CONFIG.replace("big", "small").replace("{url}", "http://127.0.0.1:9/v1")
    found, server = writer([UNKNOWN], more=others + '[write]\nmodel = "remote-big"\nrepairs = 0\n')
    assert (found.code, len(server.requests)) == (1, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C there")
def test_ctrl_c_loses_nothing(process, folder, monkeypatch):
    monkeypatch.setenv("WRITE_KEY", SECRET)
    with OpenAIServer([Say(UNKNOWN)], then=Hang()) as server:
        (folder / "own.toml").write_text(CONFIG.format(url=server.url), encoding="utf-8")
        child = process("write", "count", "--config", "own.toml")
        while len(server.requests) < 2:
            assert child.poll() is None
            server.wait_for_end(0.05)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    (path,) = (folder / "home").rglob("written/*.rtfs")
    assert child.returncode == 130
    assert f"the last program is in {path}".encode() in err
