"""Whatever is cut in whatever order: the chain holds, no other row is lost, and heads of before are still proved."""

from __future__ import annotations

import json
from contextlib import closing
from random import Random

import pytest

from rtfs_framework.orchestrator.recording.journal import retention, stumps
from rtfs_framework.orchestrator.recording.journal.chain import Head
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.retention import Due, cut
from rtfs_framework.orchestrator.recording.journal.verify import holds
from rtfs_framework.testing.effort import effort

INSERT = "INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
ROWS = "SELECT * FROM log WHERE what NOT IN ('stump', 'cut') ORDER BY position"
STUMPS = "SELECT * FROM log WHERE what = 'stump' ORDER BY position"


def interleaved(desk, steps):
    """Write one row for each letter, that of a run, which begins with one more; a "-" is a row of no run."""
    with closing(desk.journal()) as journal:
        chains = {}
        for at, name in enumerate(steps):
            if name == "-":
                journal.signal("load", "local-model m", at)
                continue
            if name not in chains:
                chains[name] = journal.begin(name, "digest", "a.rtfs", "policy", "0.1")
            if name in steps[at + 1 :]:
                chains[name].add(desk.record(0))
            else:
                chains[name].end("complete")


def remove(desk, names):
    """Remove runs; return how many rows they had."""
    where = dict(desk.rows("SELECT id, position FROM log WHERE what = 'run'"))
    with closing(desk.journal()) as journal:
        return sum(rows for _, rows in cut(journal, [Due(where[name], name, 0.0, "age") for name in names]))


def ranges(desk):
    return [(json.loads(row[6])["first"], row[0]) for row in desk.rows(STUMPS)]


def without(rows, names):
    """Return the rows of no run, and of other runs."""
    gone = {row[0] for row in rows if row[2] == "run" and row[5] in names}
    return [row for row in rows if row[1] not in gone]


def is_found(desk, *statements):
    """Tell whether `verify` finds what somebody without the key did to the stumps; put them back."""
    before = desk.rows(STUMPS)
    desk.sql(*statements)
    found = not desk.verify_all().ok
    desk.sql("DELETE FROM log WHERE what = 'stump'", *((INSERT, row) for row in before))
    return found


def meanwhile(monkeypatch, act):
    """Do something after the rows to cut were looked at, and before they are cut."""
    carry_out = retention._carry_out

    def instead(journal, cutting):
        monkeypatch.setattr(retention, "_carry_out", carry_out)
        carry_out(journal, act(cutting) or cutting)

    monkeypatch.setattr(retention, "_carry_out", instead)


def test_two_groups_of_one_batch_that_meet_at_a_stump(desk):
    interleaved(desk, "abba")
    remove(desk, "b")
    assert ranges(desk) == [(4, 6)]
    remove(desk, "a")  # rows 2, 3 and 7
    assert ranges(desk) == [(2, 7)]
    assert desk.verify_all().problems == ()


@pytest.mark.parametrize("seed", range(effort(12)))
def test_any_runs_in_any_order_and_batches(desk, monkeypatch, seed):
    draw = Random(seed)
    steps = [*draw.choices("abcd-", k=draw.randint(4, 24)), "a"]
    monkeypatch.setattr(retention, "BATCH", draw.choice((5_000, 8, 1)))
    monkeypatch.setattr(stumps, "_MOST", draw.choice((4_096, 5, 1)))
    interleaved(desk, steps)
    rows = desk.rows(ROWS)
    left, gone, older = draw.sample(sorted({*steps} - {"-"}), len({*steps} - {"-"})), [], set()
    while left:
        many = draw.randint(1, min(2, len(left)))
        count = remove(desk, left[:many])
        assert count == len(without(rows, gone)) - len(without(rows, [*gone, *left[:many]]))
        gone, left = [*gone, *left[:many]], left[many:]
        assert desk.verify_all().problems == ()
        assert desk.rows(ROWS) == without(rows, gone)
        older.update(desk.rows(STUMPS))
    assert all(holds(desk.path, Head(row[0], row[7])) for row in draw.sample(rows, 5))
    now = desk.rows(STUMPS)
    stump = draw.choice(now)
    told = json.loads(stump[6])
    assert is_found(desk, ("DELETE FROM log WHERE position = ?", (stump[0],)))
    assert is_found(desk, (INSERT, (*stump[:6], json.dumps({**told, "first": told["first"] - 1}), stump[7])))
    assert all(is_found(desk, (INSERT, row)) for row in sorted(older.difference(now))[:1])
    assert desk.verify_all().ok


def test_a_stump_that_somebody_else_joined_meanwhile_is_taken_as_it_is(desk, monkeypatch):
    interleaved(desk, "aabbcc")
    remove(desk, "b")
    meanwhile(monkeypatch, lambda _: remove(desk, "a") and None)
    remove(desk, "c")
    assert ranges(desk) == [(2, 10)]
    assert desk.verify_all().problems == ()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda found: found * 2, id="rows in two stumps"),
        pytest.param(lambda found: [each._replace(parent=bytes(32)) for each in found], id="another row before"),
        pytest.param(lambda found: [each._replace(hash=bytes(32)) for each in found], id="another row at the end"),
        pytest.param(lambda found: [each._replace(marks=bytes(24)) for each in found], id="other rows"),
    ],
)
def test_what_would_not_verify_is_not_done(desk, monkeypatch, changed):
    interleaved(desk, "aabbcc")
    rows = desk.rows(ROWS)
    meanwhile(monkeypatch, lambda cutting: cutting._replace(stumps=changed(cutting.stumps)))
    with pytest.raises(JournalError, match="so nothing is removed"):
        remove(desk, "b")
    assert desk.rows(ROWS) == rows
    assert desk.verify_all().problems == ()


def test_what_somebody_else_removed_meanwhile_is_not_removed_again(desk, monkeypatch):
    interleaved(desk, "aabbcc")
    meanwhile(monkeypatch, lambda _: remove(desk, "ab") and None)
    with pytest.raises(JournalError, match="so nothing is removed"):
        remove(desk, "b")
    assert ranges(desk) == [(2, 7)]
    assert desk.verify_all().problems == ()


def test_nothing_is_removed_beside_a_forged_stump(desk):
    interleaved(desk, "aabbcc")
    remove(desk, "b")
    desk.sql("UPDATE log SET body = replace(body, '\"first\":5', '\"first\":4') WHERE what = 'stump'")
    rows = desk.rows("SELECT * FROM log ORDER BY position")
    for name in "ac":
        with pytest.raises(JournalError, match="so nothing is removed"):
            remove(desk, name)
    assert desk.rows("SELECT * FROM log ORDER BY position") == rows
