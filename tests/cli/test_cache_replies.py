"""`rtfs cache` and replies: what is kept is listed, shown, forgotten with what came from it, and moved by files."""

from __future__ import annotations

import json
import sqlite3
import stat

import pytest

pytestmark = pytest.mark.needs("rtfs-cache-l2", "rtfs-cache-l4", "rtfs-provider-openai")

PROGRAM = """
(defn ^:delegation :remote "m" one "Ask." [x :string] :string "own")
(defn ^:delegation :remote "m" two "Ask, too." [x :string] :string "own")
(defn main [] (do (one "a") (two "b") (one "c")))
"""


@pytest.fixture
def paid(rtfs, folder):
    """Run a program that asks a model three times; return the id of its run."""
    from rtfs_framework.testing.openai_server import OpenAIServer, say_json

    with OpenAIServer(then=say_json({"value": "hi\x1b[31m"})) as server:
        (folder / "delegation.toml").write_text(
            "[delegation.remote_providers.m]\nprovider = 'openai'\nmodel = 'm'\napi_key_env = ''\nreuse = 'always'\n"
            f"input_cost = 1.0\noutput_cost = 2.0\nendpoint = '{server.url}'\n",
            encoding="utf-8",
        )
        (folder / "paid.rtfs").write_text(PROGRAM, encoding="utf-8")
        for _ in range(2):
            assert rtfs("run", "paid.rtfs", "--trust").code == 0
        assert len(server.requests) == 3
    return listed(rtfs)[0]["reply"].partition(":")[0]


def listed(rtfs, *options):
    return rtfs("cache", "list", "--json", *options).data["entries"]


def test_what_is_kept_says_where_it_came_from_and_what_it_saved(rtfs, paid):
    found = {each["reply"].partition(":")[2]: each for each in listed(rtfs)}
    assert [found[name]["symbol"] for name in ("1:0", "1:1", "1:2")] == ["one", "two", "one"]
    assert [len(found[name]["sources"]) for name in ("1:0", "1:1", "1:2")] == [0, 1, 2]
    assert {each["uses"] for each in found.values()} == {1}
    assert all(each["cost"] > 0 and each["model"] and each["seconds"] >= 0 for each in found.values())
    stats = rtfs("cache", "stats", "--json").data
    assert stats["served"] == 3
    assert stats["saved"] == pytest.approx(sum(each["cost"] for each in found.values()) / 1e9)
    assert stats["layers"]["l2"]["size"] == 3
    shown = rtfs("cache", "stats").out
    assert "served    3 replies from memory, which would have cost $0.0" in shown
    table = rtfs("cache", "list").out
    assert "one" in table
    assert paid in table


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--symbol", "on*"), 2),
        (("--symbol", "two"), 1),
        (("--model", "nobody*"), 0),
        (("--tenant", ""), 3),
        (("--tenant", "blue"), 0),
        (("--older", "2h"), 0),
        (("--newer", "2h"), 3),
        (("--tag", "x"), 0),
        (("--agent", "x"), 0),
        (("--task", "x"), 0),
        (("--target", "remote*", "--layer", "l2"), 3),
    ],
)
def test_filters(rtfs, paid, options, expected):
    assert len(listed(rtfs, *options)) == expected


def test_one_entry_is_shown_and_control_characters_are_not_sent_to_a_terminal(rtfs, paid):
    entry = listed(rtfs)[0]
    shown = rtfs("cache", "show", entry["id"][:10])
    assert shown.code == 0
    assert "\x1b" not in shown.out
    assert entry["reply"] in shown.out
    assert "hi" in rtfs("cache", "show", entry["id"], "--json").data["value"]
    for wrong, said in (("zz", "no entry begins"), ("", "no entry begins")):
        result = rtfs("cache", "show", wrong)
        assert result.code == 2
        assert said in result.err


def test_a_reply_goes_with_all_that_came_from_it(rtfs, paid):
    second = next(each["reply"] for each in listed(rtfs) if each["symbol"] == "two")
    would = rtfs("cache", "invalidate", "--reply", second, "--dry-run", "--json").data["forgotten"]
    assert len(would) == 2
    assert len(listed(rtfs)) == 3
    assert rtfs("cache", "invalidate", "--reply", second).out == "forgot 2 entries\n"
    (left,) = listed(rtfs)
    assert left["sources"] == []
    assert rtfs("cache", "invalidate", left["id"]).out == "forgot 1 entry\n"
    assert rtfs("cache", "list").out == "nothing is kept that fits\n"


def test_nothing_is_forgotten_unasked(rtfs, paid):
    result = rtfs("cache", "invalidate")
    assert result.code == 2
    assert "say which" in result.err
    result = rtfs("cache", "clear")
    assert result.code == 2
    assert "forgets 3 replies that cost $0.0" in result.err
    assert "say --yes" in result.err
    assert len(listed(rtfs)) == 3
    assert rtfs("cache", "clear", "--layer", "nobody").code == 2
    assert rtfs("cache", "clear", "--yes", "--json").data["replies"] == {"l2": 3}
    assert rtfs("cache", "clear").code == 0


def test_a_file_brings_back_what_was_exported(rtfs, folder, paid):
    before = listed(rtfs)
    assert rtfs("cache", "export", "kept.jsonl").out == "exported 3 to kept.jsonl\n"
    assert stat.S_IMODE((folder / "kept.jsonl").stat().st_mode) == 0o600
    rtfs("cache", "clear", "--yes")
    assert rtfs("cache", "import", "kept.jsonl", "--json").data["imported"] == 3
    facts = [(each["id"], each["reply"], each["cost"], each["sources"]) for each in listed(rtfs)]
    assert sorted(facts) == sorted((each["id"], each["reply"], each["cost"], each["sources"]) for each in before)
    assert rtfs("run", "paid.rtfs", "--trust").code == 0, "and nobody is asked: the server is gone"


def _change(lines):
    lines[2] = lines[2].replace("hi", "ho")


def _plant(lines):
    lines.append(lines[1])


def _drop(lines):
    del lines[3]


def _swap(lines):
    lines[1], lines[2] = lines[2], lines[1]


def _spoil(lines):
    lines[2] = "{"


def _strip(lines):
    row = json.loads(lines[1])
    del row["seal"]
    lines[1] = json.dumps(row)


def _age(lines):
    lines[0] = lines[0].replace('"rtfs_cache": 1', '"rtfs_cache": 9')


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_change, "line 3 of kept.jsonl is not what your key sealed"),
        (_plant, "line 1 of kept.jsonl tells of 3 other lines"),
        (_drop, "line 1 of kept.jsonl tells of 3 other lines"),
        (_swap, "line 1 of kept.jsonl tells of 3 other lines"),
        (_spoil, "line 3 of kept.jsonl is no JSON object"),
        (_strip, "line 2 of kept.jsonl has no 'seal'"),
        (_age, "line 1 of kept.jsonl does not say"),
    ],
)
def test_a_spoilt_file_is_refused_with_its_line_and_nothing_is_taken_in(rtfs, folder, paid, spoil, said):
    rtfs("cache", "export", "kept.jsonl")
    rtfs("cache", "clear", "--yes")
    file = folder / "kept.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines()
    spoil(lines)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = rtfs("cache", "import", "kept.jsonl")
    assert result.code == 1
    assert "E0905" in result.err
    assert said in result.err
    assert listed(rtfs) == []


def test_another_users_file_is_refused(rtfs, folder, paid):
    rtfs("cache", "export", "kept.jsonl")
    (folder / "home" / "cache" / "artifacts.key").unlink()
    result = rtfs("cache", "import", "kept.jsonl")
    assert result.code == 1
    assert "another user exported it" in result.err


def test_damage_is_found_told_and_forgotten(rtfs, folder, paid):
    assert rtfs("cache", "verify").out == "l2        3 sound, none damaged\n"
    db = sqlite3.connect(folder / "home" / "cache" / "l2.sqlite")
    with db:
        db.execute("update replies set value = replace(value, cast('hi' as blob), cast('ho' as blob)) where rowid = 1")
        db.execute("update replies set stored_at = stored_at + 1 where rowid = 2")
    db.close()
    result = rtfs("cache", "verify")
    assert result.code == 1
    assert "damaged, and forgotten" in result.out
    assert rtfs("cache", "verify", "--json").data["layers"]["l2"]["damaged"] == 0


@pytest.mark.parametrize("name", ["list", "show", "invalidate", "export", "import", "warm", "verify"])
def test_help_has_examples(rtfs, name):
    assert f"rtfs cache {name}" in rtfs("cache", name, "--help").out
