"""The editor: mistakes below their lines, explanations, runs under the host's grants; and answers to what waits."""

from __future__ import annotations

import re
import sqlite3
import threading

import pytest

from rtfs_framework.cli.journals import home
from rtfs_framework.cli.ui.editor import Editor
from rtfs_framework.orchestrator.concurrency.clock import SystemClock
from rtfs_framework.orchestrator.performing.approvals.store import ApprovalStore

FAULTY = "(defn f [x]\r\n\t(nope x))\r\n(g 1)\r\n"


def test_mistakes_stand_below_their_lines(folder):
    done = Editor(None).work("check", FAULTY, [])
    assert done["ok"] is False
    notes = [each for line in done["listing"] for each in line["notes"] if each["code"] == "E0203"]
    assert [(each["line"], each["column"], each["meant"]) for each in notes] == [(2, 3, "nope"), (3, 2, "g")]
    assert [each["carets"] for each in notes] == ["   ^^^^", " ^"]  # a tab is seen as \\t
    assert [each["text"] for each in done["listing"]] == ["(defn f [x]", "\t(nope x))", "(g 1)", ""]


def test_of_a_long_program_the_lines_around_mistakes_are_shown(folder):
    done = Editor(None).work("check", "(inc 1)\n" * 500 + "(nope)\n" + "(inc 1)\n" * 500, [])
    assert [each["number"] for each in done["listing"]] == [498, 499, 500, 501, 502, 503, 504]


@pytest.mark.parametrize(
    ("text", "args", "said"),
    [
        ("(defn main [a b] (str a b))", ["x", "y"], '"xy"'),
        ("(+ 1 2)", [], "3"),
        ('"<b>\u202e"', [], "\\u202e"),
    ],
    ids=["main", "value", "hostile"],
)
def test_a_program_runs(served, text, args, said):
    page = served().post("/editor?part=1", action="run", text=text, args="\n".join(args)).text
    shown = re.search(r"<pre class=\"value\" tabindex=\"0\">(.*?)</pre>", page, re.DOTALL)
    assert said.replace('"', "&#34;") in shown[1]
    assert "<b>" not in page
    assert "nothing to record" in page


def test_what_fails_is_shown_where_it_failed(served):
    page = served().post("/editor?part=1", action="run", text="(defn main []\n  (/ 1 (- 2 2)))", args="").text
    assert "line 2, column 3" in page
    assert "E0504" in page
    assert "<mark>(/ 1 (- 2 2))</mark>" in page


def test_arguments_that_do_not_fit_are_said_so(served):
    page = served().post("/editor?part=1", action="run", text="(defn main [x] x)", args="").text
    assert "E0908" in page


def test_a_run_is_recorded_and_under_the_hosts_grants(served):
    text = '(defn main [] (try (call :acme.read "x") (catch _ e (:kind e))))'
    made = served()
    page = made.post("/editor?part=1", action="run", text=text, args="").text
    (run,) = re.findall(r'href="(/runs/[0-9a-f]+)"', page)
    assert "UnknownCapability" in page
    assert "editor.rtfs" in made.ask(run).text


def test_explanations_and_whole_pages_keep_what_was_written(served):
    text = '(defn ^:delegation :remote "big" f "F." [x : :string] : :string x)\n(f "</textarea><b>")'
    page = served().post("/editor", action="explain", text=text, args="a\nb").text
    assert "&lt;/textarea&gt;&lt;b&gt;" in page
    assert ">\na\nb</textarea>" in page
    assert "Steps of the decision for f" in page
    assert "not usable now" in page


def test_an_endless_program_is_stopped_with_its_server(folder):
    editor = Editor(None)
    done = []
    program = "(defn main [] (loop [i 0] (recur (inc i))))"
    (folder / "delegation.toml").write_text("[limits]\nsteps = 'off'\n", encoding="utf-8")
    thread = threading.Thread(target=lambda: done.append(editor.work("run", program, [])))
    thread.start()
    while not editor._running:
        thread.join(0.01)
    editor.stop()
    thread.join(60)
    assert done[0]["ok"] is False


def test_names_of_programs_that_run_at_once_differ(folder):
    editor = Editor(None, "a/b.rtfs")
    with editor._named() as first, editor._named() as second:
        assert (first, second) == ("a/b.rtfs", "a/b-2.rtfs")
    with editor._named() as third:
        assert third == "a/b.rtfs"


@pytest.fixture
def asking(folder):
    """Let a call wait for a person, with a hostile name and hostile arguments."""

    def ask(evil, timeout=60.0):
        fields = {"run": "r" * 32, "call": "1:0", "symbol": evil, "target": "remote big", "approver": evil}
        more = {"args_digest": "d", "args_text": evil, "policy": "p", "tenant": ""}
        return ApprovalStore(folder / "home", SystemClock()).ask(timeout, **fields, **more)

    return ask


def test_a_call_that_waits_is_answered_on_the_page(served, asking, evil):
    made = served()
    yes, no = asking(evil), asking(evil)
    page = made.ask("/approvals").text
    assert page.count("&lt;script&gt;alert(1)") == 6
    assert "<script>alert" not in page
    assert made.ask("/approvals/waiting").text.startswith("2<")
    assert made.post(f"/approvals/{yes.id}", answer="yes").headers["location"] == f"/approvals?done={yes.id}"
    assert made.post(f"/approvals/{no.id}", answer="no", reason=evil).status_code == 303
    store = ApprovalStore(home(), SystemClock())
    assert [store.get(each.id).state for each in (yes, no)] == ["yes", "no"]
    assert store.get(no.id).reason == evil
    again = made.post(f"/approvals/{yes.id}", answer="no")
    assert again.status_code == 422
    assert "E0741" in again.text
    assert made.ask("/approvals/waiting").text == ""


def test_who_may_only_read_sees_what_waits_and_no_buttons(served, asking):
    asking("f")
    page = served(read_only=True).ask("/approvals").text
    assert "(f …)" in page
    assert "<form" not in page


def test_a_broken_file_of_approvals_is_a_page_with_a_way_out(served, folder):
    (folder / "home").mkdir()
    with sqlite3.connect(folder / "home" / "approvals.sqlite") as db:
        db.execute("create table other (x)")
    db.close()
    answer = served().ask("/approvals")
    assert answer.status_code == 422
    assert "E0740" in answer.text
