"""The memory of real runs, and its commands."""

from __future__ import annotations

import json
import os
from pathlib import Path

import attrs
import pytest

from rtfs_framework.cli.main import run
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session

PROGRAM = """(defn ^:delegation :local-model "echo" say [text :string] : :string text)
(say "the parcel is late")
(call :host.feedback {:of "say" :value 0.25})"""
GRANT = '[security]\ngrant = ["host.feedback"]\n'
WORDS = GRANT + '[observers.memory]\n[journal]\nkeep = "replies"\n'


@attrs.frozen
class Result:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def rtfs(tmp_path, capsys, monkeypatch):
    """Run a command line in this process."""
    monkeypatch.setenv("RTFS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        capsys.readouterr()
        code = run([str(arg) for arg in args])
        return Result(code, *capsys.readouterr())

    return invoke


def remember(config, text=PROGRAM, **more):
    Path("c.toml").write_text(config, encoding="utf-8")
    with Session.open(config_path="c.toml", **more) as session:
        session.run(Source("a.rtfs", text))
        assert session.problems == ()


@pytest.mark.needs("rtfs-provider-echo")
def test_what_a_run_did_and_learned_is_found_again(rtfs):
    remember(WORDS)
    found = rtfs("memory", "search", "--json").rows
    assert [each["kind"] for each in found] == ["run", "call", "rating", "call"]
    (called,) = rtfs("memory", "search", "parcel", "late", "--name", "say", "--json").rows
    assert called["facts"]["args"] == '["the parcel is late"]'
    assert "parcel" in called["facts"]["answer"]
    assert (called["target"], called["status"]) == ("local-model echo", "answered")
    (rated,) = rtfs("memory", "search", "--kind", "rating", "--json").rows
    assert (rated["name"], rated["facts"]["value"]) == ("say", 0.25)
    assert "was worth 0.25" in rtfs("memory", "search", "--kind", "rating").out
    shown = rtfs("memory", "show", called["id"]).out
    assert "  answer: " in shown
    assert json.loads(rtfs("memory", "show", called["id"], "--json").out) == called
    (ended,) = rtfs("memory", "search", "--run", called["run"], "--status", "complete", "--json").rows
    assert ended["facts"]["calls"] == 2


@pytest.mark.needs("rtfs-provider-echo")
def test_no_words_are_kept_where_the_journal_keeps_none(rtfs):
    remember(GRANT + "[observers.memory]\n")
    assert len(rtfs("memory", "search", "--json").rows) == 4
    assert rtfs("memory", "search", "parcel").out == "nothing is kept that fits\n"
    for file in Path(os.environ["RTFS_HOME"], "observers", "memory").iterdir():
        assert b"parcel" not in file.read_bytes()


@pytest.mark.needs("rtfs-provider-echo")
def test_of_marked_calls_it_keeps_what_it_may_hear_with_its_marks(rtfs):
    labels = WORDS + '[labels]\nmarks = ["pii"]\n[labels.providers]\n"local-echo" = ["pii"]\n'
    labels += '[labels.accepts]\n"capability host.feedback" = ["pii"]\njournal = ["pii"]\n'
    remember(labels)
    assert rtfs("memory", "search", "parcel", "--json").rows == []
    assert "(withheld)" in rtfs("memory", "search", "--json").out
    assert rtfs("memory", "forget", "--all", "--yes").out == "4 entries are forgotten\n"
    remember(labels + '"observer memory" = ["pii"]\n')
    (called,) = rtfs("memory", "search", "parcel", "--mark", "pii", "--kind", "call", "--name", "say", "--json").rows
    assert called["marks"] == ["pii"]


@pytest.mark.needs("rtfs-provider-echo")
def test_forgetting_asks_and_wants_to_be_told_what(rtfs):
    remember(WORDS)
    refused = rtfs("memory", "forget", "--yes")
    assert refused.code != 0
    assert "say which entries" in refused.err
    assert rtfs("memory", "forget", "parcel", "--all").code != 0
    assert rtfs("memory", "forget", "parcel", "--yes").out == "1 entries are forgotten\n"
    assert rtfs("memory", "search", "parcel").out == "nothing is kept that fits\n"
    assert rtfs("memory", "forget", "--before", "7d", "--yes").out == "0 entries are forgotten\n"
    assert rtfs("memory", "forget", "--kind", "run", "--yes", "--json").rows == [{"forgotten": 1}]
    assert len(rtfs("memory", "search", "--since", "7d", "--json").rows) == 2


@pytest.mark.needs("rtfs-provider-echo")
@pytest.mark.parametrize("number", [0, 2**63, 10**22], ids=["none", "next", "far"])
def test_a_number_that_no_entry_can_have_is_a_mistake_of_the_line(rtfs, number):
    remember(WORDS)
    found = rtfs("memory", "show", number)
    assert found.code == 2
    assert "is not in the range 1<=x<=9223372036854775807" in found.err
    assert "there is no entry" in rtfs("memory", "show", 2**63 - 1).err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (("show", "99"), "there is no entry 99"),
        (("search", "--since", "yesterday"), "'yesterday' is no duration"),
        (("search", "--kind", "dream"), "'dream' is not one of"),
    ],
    ids=["no entry", "no duration", "no kind"],
)
def test_mistakes_are_told(rtfs, line, words):
    found = rtfs("memory", *line)
    assert found.code != 0
    assert words in found.err


def test_it_is_off_without_a_table_and_a_bad_one_is_refused(rtfs, tmp_path):
    remember("", "(+ 1 2)")
    assert not (tmp_path / "home" / "observers").exists()
    Path("c.toml").write_text("[observers.memory]\nretain = 0\n", encoding="utf-8")
    found = rtfs("memory", "search", "--config", "c.toml")
    assert found.code != 0
    assert "retain" in found.err


@pytest.mark.needs("rtfs-provider-echo")
def test_a_file_that_cannot_be_written_stops_no_run(rtfs, tmp_path):
    folder = tmp_path / "home" / "observers" / "memory"
    folder.mkdir(parents=True)
    (folder / "memory.sqlite").write_bytes(b"no database at all, and longer than a header" * 100)
    Path("c.toml").write_text(WORDS, encoding="utf-8")
    with Session.open(config_path="c.toml") as session:
        assert session.run(Source("a.rtfs", PROGRAM)).value is None
        (problem,) = session.problems
    assert "file is not a database" in problem.message
