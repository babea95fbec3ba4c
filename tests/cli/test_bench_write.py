"""`rtfs bench write`, and the tasks that ship: each has a program that passes all its cases, and one that does not."""

from __future__ import annotations

import json
import os
import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from rtfs_framework.api.toml_places import load_toml
from rtfs_framework.cli.problems import InputError
from rtfs_framework.cli.writing.judging import Judge
from rtfs_framework.cli.writing.measuring import interval
from rtfs_framework.cli.writing.results import known, mend
from rtfs_framework.cli.writing.tasks import Task, picked, read_tasks, shipped
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.testing.openai_server import Fail, OpenAIServer, Say

SOLUTIONS = load_toml((Path(__file__).parent / "writing_solutions.toml").read_text(encoding="utf-8"), "solutions")[0]
NEAR = load_toml((Path(__file__).parent / "writing_near_misses.toml").read_text(encoding="utf-8"), "near")[0]
KINDS = {"strings", "numbers", "collections", "errors", "json", "dates", "matching", "algorithms", "delegation"}
CONFIG = """
[delegation.remote_providers.big]
provider = "openai"
endpoint = "{url}"
api_key_env = ""
model = "m"
reuse = "never"
input_cost = 1000
output_cost = 2000
"""


def test_sixty_tasks_ship():
    tasks = shipped()
    assert len(tasks) == 60
    assert {each.kind for each in tasks} == KINDS
    assert [each.id for each in tasks] == list(SOLUTIONS)


def judged(session, task, program):
    """Return what is wrong with a program: by its text, else by all cases of its task."""
    misfit = task.misfit(program)
    if misfit is not None:
        return (misfit,)
    return Judge(session=session, examples=task.cases, bodies=True).judge(program).wrong


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_task_can_be_done_and_is_not_done_by_anything(kind, tmp_path):
    with Session.open(journal=False, environ={"RTFS_HOME": str(tmp_path)}) as session:
        for task in shipped():
            if task.kind == kind:
                assert judged(session, task, SOLUTIONS[task.id]["right"]) == (), task.id
                assert judged(session, task, SOLUTIONS[task.id]["wrong"]) != (), task.id


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_is_nearly_right_is_found_out(kind, tmp_path):
    """Each task has a program that does what its model is shown, and fails at what it is not."""
    with Session.open(journal=False, environ={"RTFS_HOME": str(tmp_path)}) as session:
        for task in (each for each in shipped() if each.kind == kind):
            near = 0
            for name, program in NEAR[task.id].items():
                found = Judge(session=session, examples=task.cases, bodies=True).judge(program)
                assert not found.unread, (task.id, name, "it can be run")
                assert task.misfit(program) or not found.right, (task.id, name)
                near += Judge(session=session, examples=task.cases[: task.shown], bodies=True).judge(program).right
            assert near, task.id


HINTED = Task(id="t", prompt="p", cases=(), needed=(re.compile(r"\^:memo\b"),), forbidden=(re.compile(r"\(sort\b"),))


@pytest.mark.parametrize(
    ("program", "fits"),
    [
        ("(defn ^:memo f [x] x)", True),
        ('(defn ^:memo f "(sort x)" [x] x) ; (sort x)', True),
        ("(defn ^:memo f [x] ( sort x))", False),
        ("(defn f [x] x) ; ^:memo", False),
        ("#| ^:memo |# (defn f [x] x)", False),
        ('(defn f "^:memo" [x] x)', False),
        ("(comment (defn ^:memo f [x] x)) (defn f [x] x)", False),
        ("(defn f [x] x) #| open", False),
    ],
    ids=["hint", "words", "spaced", "comment", "block", "text", "comment form", "no program"],
)
def test_patterns_are_matched_on_code(program, fits):
    assert (HINTED.misfit(program) is None) is fits


TASKS = [
    {"id": "double", "kind": "n", "prompt": "main doubles.", "cases": ["2 => 4", "3 => 6"]},
    {"id": "square", "kind": "n", "prompt": "main squares.", "cases": ["2 => 4", "3 => 9"]},
    {"id": "negate", "kind": "m", "prompt": "main negates.", "cases": ["2 => -2", "0 => 0"], "needed": ["\\(- "]},
    {"id": "count", "kind": "m", "prompt": "main counts.", "cases": ["[1] => 1"]},
    {"id": "sum", "kind": "m", "prompt": "main sums.", "cases": ["[1 2] => 3"]},
]


@pytest.fixture
def bench(rtfs, folder):
    """Run `rtfs bench write` on five tasks against a server whose answers a function gives."""
    (folder / "tasks.jsonl").write_text("\n".join(map(json.dumps, TASKS)), encoding="utf-8")

    def go(*args, answers, file="tasks.jsonl", model="m", at=None):
        with at or OpenAIServer(then=lambda request: answers(request.body["messages"])) as server:
            config = CONFIG.format(url=server.url).replace('"m"', f'"{model}"')
            (folder / "own.toml").write_text(config, encoding="utf-8")
            return rtfs("bench", "write", file, "--config", "own.toml", *args), server

    return go


def answers(messages):
    """Right at once, wrong by a hidden case, mended, unreadable, wrong to the end."""
    task, again = messages[1]["content"].split()[1].rstrip("."), len(messages) > 2
    told = {
        "doubles": "(defn main [x] (* 2 x))",
        "squares": "(defn main [x] (* 2 x))",
        "negates": "(defn main [x] (- x))" if again else "(defn main [x] (* -1 x))",
        "counts": "It counts.",
        "sums": "(defn main [x] 4)",
    }
    return Say(told[task], usage=(100, 50))


@pytest.mark.needs("rtfs-provider-openai")
def test_outcomes(bench):
    found, server = bench("--yes", "--json", "--repairs", "1", answers=answers)
    assert found.code == 0
    results = {each["task"]: each for each in found.data["results"]}
    assert {name: each["outcome"] for name, each in results.items()} == {
        "double": "right",
        "square": "wrong",
        "negate": "repaired",
        "count": "unreadable",
        "sum": "wrong",
    }
    total = found.data["summary"]
    assert (total["share"], total["at_once"], total["tasks"]) == (0.4, 0.2, 5)
    assert total["cost"] == pytest.approx(len(server.requests) * 0.2)
    assert len(server.requests) == 8
    assert "(main 3) must give 9, and gives 6" in results["square"]["wrong"][0]
    told = "\n".join(request.prompt for request in server.requests)
    assert "(main 2) => 4" in told
    assert "(main 3)" not in told, "what is hidden was told"


@pytest.mark.needs("rtfs-provider-openai")
def test_words(bench):
    found, _ = bench("--yes", "--repairs", "1", answers=answers)
    assert [each.split() for each in found.lines[:3]] == [
        ["kind", "right", "repaired", "wrong", "unreadable", "failed"],
        ["n", "1", "0", "1", "0", "0"],
        ["m", "0", "1", "1", "1", "0"],
    ]
    assert found.lines[4] == "40.0% right of 5 (95 %: 11.8% to 76.9%), 20.0% at once"


@pytest.mark.needs("rtfs-provider-openai")
def test_it_goes_on_where_it_ended(bench, folder):
    failing = True

    def scripted(request):
        messages = request.body["messages"]
        return Fail(400) if failing and "counts" in messages[1]["content"] else answers(messages)

    with OpenAIServer(then=scripted) as server:
        found, _ = bench("--yes", "--results", "r.jsonl", "--repairs", "0", answers=None, at=nullcontext(server))
        assert (found.code, len(server.requests)) == (1, 5)
        assert "1 task(s) were not answered" in found.err
        assert os.name != "posix" or (folder / "r.jsonl").stat().st_mode & 0o777 == 0o600
        with (folder / "r.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"task": "cut o')
        failing = False
        for number in (6, 6):
            more = ("--repairs", "0", "--json")
            found, _ = bench("--yes", "--results", "r.jsonl", *more, answers=None, at=nullcontext(server))
            assert (found.code, len(server.requests)) == (0, number)
    assert found.data["summary"]["tasks"] == 5
    assert found.data["summary"]["failed"] == 0


ANOTHER = {
    "pack": ("--pack-tokens", "1500"),
    "replies": ("--reply-tokens", "999"),
    "repairs": ("--repairs", "1"),
    "model": (),
}


@pytest.mark.needs("rtfs-provider-openai")
@pytest.mark.parametrize("what", ANOTHER)
def test_an_answer_to_another_question_is_no_answer(bench, what):
    first = ("--yes", "--results", "r.jsonl", "--repairs", "0", "--limit", "1")
    with OpenAIServer(then=lambda request: answers(request.body["messages"])) as server:
        counts = []
        for more, model in (((), "m"), ((), "m"), (ANOTHER[what], "m2" if what == "model" else "m")):
            bench(*first, *more, answers=answers, model=model, at=nullcontext(server))
            counts.append(len(server.requests))
    assert counts == [1, 1, 2]


@pytest.mark.needs("rtfs-provider-openai")
def test_an_answer_of_another_endpoint_is_no_answer(bench):
    first = ("--yes", "--results", "r.jsonl", "--limit", "1")
    assert [len(bench(*first, answers=answers)[1].requests) for _ in range(2)] == [1, 1], "each has a port of its own"


RESULT = {
    "task": "double", "kind": "n", "digest": "d", "model": "remote-big", "question": "q", "repairs": 2,
    "outcome": "right", "rounds": 1, "program": None, "wrong": [], "input_tokens": 1, "output_tokens": 1, "cost": None,
}  # fmt: skip
CHANGED = {
    "outcome": {"outcome": "great"},
    "cost": {"cost": "x"},
    "no number": {"cost": float("nan")},
    "no end": {"cost": float("inf")},
    "tokens": {"input_tokens": "9"},
    "no tokens": {"input_tokens": None},
    "a yes": {"rounds": True},
    "below": {"repairs": -1},
    "kind": {"kind": ["x"]},
    "wrong": {"wrong": [1]},
    "program": {"program": 1},
    "more": {"other": 1},
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_a_changed_result_is_refused_with_its_line(tmp_path, change):
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join((json.dumps(RESULT), json.dumps(RESULT | change), json.dumps(RESULT), "")))
    with pytest.raises(InputError) as caught:
        known(path)
    (found,) = caught.value.diagnostics
    assert (found.code, caught.value.exit_code) == ("E0992", 2)
    assert f"{path}, line 2 is no result" in found.message


@pytest.mark.parametrize("text", [b"null\n", b"{\n", b"\xff\n", b"my notes", b"[" * 100_000], ids=range(5))
def test_another_file_is_refused_and_left_alone(tmp_path, rtfs, folder, text):
    path = tmp_path / "notes"
    path.write_bytes(text)
    with pytest.raises(InputError):
        known(path)
    assert path.read_bytes() == text


@pytest.mark.parametrize("last", ["", '{"ta', '{"task": "dou', json.dumps(RESULT)], ids=["none", "few", "cut", "whole"])
def test_only_what_was_cut_off_goes(tmp_path, last):
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(RESULT) + "\n" + last)
    assert len(known(path)) == 1
    mend(path)
    whole = json.dumps(RESULT) + "\n"
    assert path.read_text() == whole * (2 if last.endswith("}") else 1)


@pytest.mark.needs("rtfs-provider-openai")
def test_nothing_is_paid_without_a_yes(bench):
    found, server = bench(answers=answers)
    assert (found.code, server.requests) == (2, [])
    assert "up to 15 requests to remote-big, which may cost money; say --yes" in found.err


def test_a_sample_is_drawn_by_its_seed():
    tasks = shipped()
    assert picked(tasks, 5, None) == list(tasks[:5])
    assert picked(tasks, 5, 1) == picked(tasks, 5, 1) != picked(tasks, 5, 2)
    assert sorted(each.id for each in picked(tasks, None, 3)) == sorted(each.id for each in tasks)


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(0, 0, 0.0, 1.0), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634)],
    ids=["none", "no right", "all right", "half"],
)
def test_wilsons_interval(right, count, low, high):
    assert interval(right, count) == pytest.approx((low, high), abs=1e-4)


BAD = {
    "empty": ("t.jsonl", ""),
    "no JSON": ("t.jsonl", "{"),
    "no table": ("t.jsonl", "[1]"),
    "no TOML": ("t.toml", "= 1"),
    "no tasks": ("t.toml", "a = 1"),
    "no id": ("t.jsonl", '{"prompt": "x", "cases": ["1 => 1"]}'),
    "no cases": ("t.jsonl", '{"id": "a", "prompt": "x", "cases": []}'),
    "a case": ("t.jsonl", '{"id": "a", "prompt": "x", "cases": ["1"]}'),
    "a key": ("t.jsonl", '{"id": "a", "prompt": "x", "cases": ["1 => 1"], "case": 1}'),
    "a pattern": ("t.jsonl", '{"id": "a", "prompt": "x", "cases": ["1 => 1"], "needed": ["("]}'),
    "shown": ("t.jsonl", '{"id": "a", "prompt": "x", "cases": ["1 => 1"], "shown": -1}'),
    "twice": ("t.jsonl", '{"id": "a", "prompt": "x", "cases": ["1 => 1"]}\n' * 2),
    "no text": ("t.jsonl", b"\xff\xfe\x00"),
}


@pytest.mark.parametrize(("name", "text"), BAD.values(), ids=BAD)
def test_files_that_hold_no_tasks(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError) as caught:
        read_tasks(str(path))
    assert [each.code for each in caught.value.diagnostics] == ["E0986"]
    assert caught.value.exit_code == 2
