"""`rtfs learn` and `rtfs runs rate`: what engines have learned, and what answers were worth."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

pytestmark = pytest.mark.needs("rtfs-engine-adaptive", "rtfs-engine-static", "rtfs-provider-echo")

CONFIG = """
[delegation]
engine = "learned"
[engines.learned]
plugin = "adaptive"
base = "static"
[delegation.static_routes]
f = ["local-echo", "local-other"]
[delegation.local_models.echo]
provider = "echo"
[delegation.local_models.other]
provider = "echo"
"""


@pytest.fixture
def learn(folder, rtfs):
    """Return what runs commands under the configuration; twelve calls were made before."""
    (folder / "own.toml").write_text(CONFIG, encoding="utf-8")
    (folder / "f.rtfs").write_text("(defn f [x] :own)\n(map f (range 12))", encoding="utf-8")

    def run(*args, code=0, **options):
        found = rtfs(*args, "--config", "own.toml", **options)
        assert found.code == code, found.err
        return found

    run("run", "f.rtfs")
    return run


def test_what_was_learned_is_listed_shown_and_exported(learn, folder):
    (row,) = learn("learn", "list", "--json").data["learned"]
    assert (row["engine"], row["outcomes"], row["skipped"], row["current"]) == ("learned", 12, 0, True)
    assert "learned  rtfs-engine-adaptive 0.1.0" in learn("learn", "list").out
    shown = learn("learn", "show", "learned", "--verify", "--json").data
    assert (set(shown["cells"]), shown["intact"]) == ({"f", "*"}, True)
    assert set(learn("learn", "show", "learned", "f", "--json").data["cells"]) == {"f"}
    assert "the journal, folded again, gives the same" in learn("learn", "show", "learned", "--verify").out
    learn("learn", "export", "learned", "--out", "learned.json")
    written = json.loads((folder / "learned.json").read_text(encoding="utf-8"))
    assert written == json.loads(learn("learn", "export", "learned").out)
    assert written["cells"] == shown["cells"]
    assert written["format"] == "rtfs-learned 1"


def test_a_reset_asks_and_then_begins_anew(learn):
    asked = learn("learn", "reset", "learned", code=2)
    assert "say --yes where nobody can be asked" in asked.err
    assert learn("learn", "reset", "learned", "--yes").out == "begins anew: learned\n"
    (row,) = learn("learn", "list", "--json").data["learned"]
    assert (row["outcomes"], row["cells"]) == (0, 0)
    assert learn("runs", "verify", "--all").code == 0
    learn("run", "f.rtfs")
    assert learn("learn", "show", "learned", "--verify", "--json").data["intact"] is True


def test_ratings_are_shown_and_learned(learn):
    learn("runs", "rate", "last", "0:0.0.0", "good")
    assert learn("runs", "rate", "last", "0:0.0.0", "0.25", "--json").data["value"] == 0.25
    first = learn("runs", "show", "last").lines[5]
    assert first.endswith("rated 1 by person; rated 0.25 by person")
    cell = learn("learn", "show", "learned", "f", "--json").data["cells"]["f"]["value"]
    assert sum(arm["feedback"]["n"] for arm in cell["arms"].values()) == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("learn", "show", "learnd"), "did you mean 'learned'?"),
        (("learn", "show", "learned", "g"), "has no cell 'g'"),
        (("learn", "export", "learned", "--out", "no/such/folder.json"), "cannot be written"),
        (("learn", "reset", "nobody", "--yes"), "known: learned"),
        (("runs", "rate", "last", "0:0.0.0", "great"), "good, bad, or a number from 0 to 1"),
    ],
)
def test_what_cannot_be_done_is_said(learn, args, said):
    assert said in learn(*args, code=2).err


def test_a_call_that_nobody_made_cannot_be_rated(learn):
    assert "has no call 7:7" in learn("runs", "rate", "last", "7:7", "good", code=1).err


def test_nothing_learned_is_no_mistake(rtfs):
    assert "nothing was learned yet" in rtfs("learn", "list").out
    assert rtfs("learn", "list", "--json").data == {"learned": []}


def test_a_file_that_is_damaged_is_told_and_calls_go_on(learn, folder):
    file = folder / "home" / "learned.sqlite"
    db = sqlite3.connect(file)
    db.execute("update cells set value = '{' where name = 'f'")
    db.commit()
    db.close()
    found = learn("learn", "list", code=1)
    assert "E0614" in found.err
    assert "move it away" in found.err
    assert "E0614" in learn("run", "f.rtfs").err
    file.unlink()
    assert learn("learn", "show", "learned", "--verify", "--json").data["intact"] is True


@pytest.mark.parametrize(
    "change",
    [
        "states set base = 'no JSON'",
        "states set base = '[1]'",
        "states set position = 'far'",
        "states set outcomes = 'many'",
        "states set changed = 'today'",
        "cells set version = 'new'",
        "cells set value = x'ff00'",
        "cells set value = 'NaN'",
    ],
)
def test_a_file_with_crafted_values_is_told_and_calls_go_on(learn, folder, change):
    with closing(sqlite3.connect(folder / "home" / "learned.sqlite")) as db, db:
        db.execute(f"update {change}")
    assert "damaged" in learn("learn", "list", code=1).err
    found = learn("run", "f.rtfs")
    assert "E0614" in found.err
    assert "Traceback" not in found.err


def test_a_file_of_another_program_is_left_alone(learn, folder):
    file = folder / "home" / "learned.sqlite"
    for each in folder.glob("home/learned.sqlite*"):
        each.unlink()
    file.write_bytes(b"no database at all" * 100)
    before = file.read_bytes()
    assert "E0614" in learn("run", "f.rtfs").err
    assert file.read_bytes() == before
