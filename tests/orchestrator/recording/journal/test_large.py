"""Large kept texts: once in the file, gone with the last row that names them, proved like all others."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing

import pytest

from rtfs_framework.orchestrator.recording.journal import large, query, sealing
from rtfs_framework.orchestrator.recording.journal.redact import redact
from rtfs_framework.orchestrator.recording.journal.retention import Retention, cut, due
from rtfs_framework.orchestrator.recording.journal.unended import unended

BIG = "so many words " * 15_000  # some 200 kB
OTHER = "others " * 1_000
KEY, NEW_KEY = bytes(range(32)), bytes(32)


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    known = {}
    monkeypatch.setattr(sealing, "_known", known)
    return known


def write(desk, run="run-1", replies=(BIG,), status="waiting", **options):
    with closing(desk.journal(**options)) as journal:
        chain = journal.begin(run, "digest", "a.rtfs", "policy", "0.1")
        for number, reply in enumerate(replies):
            record = desk.record(number)
            chain.answered(record, reply, None)
            chain.add(record)
        chain.end(status)
    return run


def count(desk):
    return desk.rows("SELECT count(*) FROM large")[0][0]


def replies(desk, run="run-1"):
    return [query.parsed(each.reply)["v"] for each in unended(desk.path, run, desk.home).calls.values()]


def is_sealed(desk):
    return BIG.encode()[:100] not in desk.path.read_bytes()


def seal_of(desk, key=KEY):
    pytest.importorskip("cryptography", reason="the extra `encrypt`")
    return sealing.seals_of(["env:K"], {"K": key.hex()}, desk.path)[0]


def test_the_same_reply_again_and_again_is_in_the_file_once(desk):
    write(desk, replies=[BIG] * 50)
    assert count(desk) == 1
    assert desk.path.stat().st_size < 2 * len(BIG)
    assert desk.verify().ok
    assert desk.verify_all().ok
    found = replies(desk)
    assert len(found) == 50
    assert set(found) == {f'"{BIG}"'}
    assert len({id(each.reply) for each in unended(desk.path, "run-1", desk.home).calls.values()}) == 1


def test_small_texts_stay_beside_their_rows(desk):
    write(desk, replies=["short", "x" * (large.LEAST - 100)])
    assert count(desk) == 0
    assert desk.verify_all().ok


def test_runs_share_a_text_and_it_goes_with_the_last_of_them(desk):
    write(desk, "run-1", [BIG, OTHER])
    write(desk, "run-2", [BIG])
    assert count(desk) == 2
    with closing(desk.journal()) as journal:
        redact(journal, "run-1")
        assert count(desk) == 1, "the other run names it still"
        assert desk.verify_all().ok
        redact(journal, "run-2")
    assert count(desk) == 0
    assert desk.verify_all().ok
    assert BIG.encode()[:100] not in b"".join(each.read_bytes() for each in desk.path.parent.iterdir())


def test_a_run_that_ends_leaves_none(desk):
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1")
        for number in range(3):
            record = desk.record(number)
            chain.answered(record, BIG, None)
            chain.add(record)
            journal.commit()
            assert count(desk) == 1
        chain.end("complete")
    assert count(desk) == 0
    assert desk.verify_all().ok


@pytest.mark.parametrize("size", [False, True], ids=["by age", "by size"])
def test_retention_counts_a_shared_text_for_the_run_that_it_goes_with(desk, size):
    for number in range(3):
        write(desk, f"run-{number}", [BIG], "complete", keep_args=True)
    write(desk, "run-3", [OTHER], "complete", keep_args=True)
    rule = Retention(most_bytes=len(BIG) // 2) if size else Retention(seconds=1.0)
    found = due(desk.path, rule, 1e12)
    assert [each.run for each in found][:3] == ["run-0", "run-1", "run-2"], "the text is there as long as one has it"
    assert len(found) == (3 if size else 4)
    with closing(desk.journal()) as journal:
        list(cut(journal, found[:2]))
        assert count(desk) == 2
        list(cut(journal, found[2:]))
    assert count(desk) == (1 if size else 0)
    assert desk.verify_all().ok


def test_search_and_show_find_it(desk):
    write(desk, replies=[BIG], status="complete", keep_args=True)
    assert [each.id for each in query.list_runs(desk.path, 5, query.Wanted(search="SO MANY WORDS"))] == ["run-1"]
    (entry,) = query.entries_of(desk.path, "run-1")
    assert BIG in entry["reply"]


SPOILED = {
    "changed": ("UPDATE large SET body = replace(body, 'many', 'few')", "was changed or added"),
    "removed": ("DELETE FROM large", "was changed or added"),
    "another": ("UPDATE texts SET body = (SELECT max(name) FROM large)", "was changed or added"),
    "added": ("INSERT INTO large VALUES (x'0200', 'words')", "no row names"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_whoever_changes_one_is_found_out(desk, how):
    write(desk, replies=[BIG, OTHER])
    statement, said = SPOILED[how]
    desk.sql(statement)
    assert any(said in each for each in desk.verify_all().problems)


def test_it_is_encrypted_and_bound_to_its_digest(desk):
    seal = seal_of(desk)
    write(desk, "run-1", [BIG, OTHER], seal=seal)
    write(desk, "run-2", [BIG], seal=seal)
    assert count(desk) == 2
    assert is_sealed(desk)
    assert desk.verify_all().ok
    assert replies(desk, "run-2") == [f'"{BIG}"']
    desk.sql("UPDATE large SET body = (SELECT body FROM large ORDER BY length(body) DESC LIMIT 1)")
    assert not desk.verify_all().ok


def test_without_its_key_a_run_is_not_gone_on_with(desk, keys):
    write(desk, seal=seal_of(desk))
    keys.clear()
    with pytest.raises(sealing.SealError):
        replies(desk)
    verdict = desk.verify_all()
    assert verdict.ok
    assert "1 kept texts were not looked at" in " ".join(verdict.notes)
    with pytest.raises(sealing.SealError):
        write(desk, "run-2", seal=sealing.Seal(NEW_KEY))


def test_with_a_new_key_it_is_written_anew_so_that_the_old_one_may_go(desk, keys):
    write(desk, "run-1", [BIG], seal=seal_of(desk))
    write(desk, "run-2", [BIG], seal=seal_of(desk, NEW_KEY))
    assert count(desk) == 2, "one under each key"
    assert desk.verify_all().ok
    del keys[sealing.Seal(KEY).name]
    assert replies(desk, "run-2") == [f'"{BIG}"']
    with pytest.raises(sealing.SealError):
        replies(desk, "run-1")
    with closing(desk.journal(seal=sealing.Seal(NEW_KEY))) as journal:
        redact(journal, "run-1")
    assert count(desk) == 1
    assert desk.verify_all().ok


@pytest.mark.parametrize("sealed_first", [False, True], ids=["plain first", "sealed first"])
def test_no_run_is_sealed_or_laid_open_by_another_that_has_the_same_text(desk, keys, sealed_first):
    seal = seal_of(desk)
    for sealed in (sealed_first, not sealed_first):
        write(desk, "sealed" if sealed else "plain", [BIG], seal=seal if sealed else None)
    with closing(sqlite3.connect(desk.path)) as db:
        assert {type(row[0]) for row in db.execute("SELECT body FROM large")} == {bytes, str}
    assert desk.verify_all().ok
    assert replies(desk, "sealed") == [f'"{BIG}"']
    keys.clear()
    assert replies(desk, "plain") == [f'"{BIG}"'], "it needs no key"
    with pytest.raises(sealing.SealError):
        replies(desk, "sealed")
    with closing(desk.journal()) as journal:
        redact(journal, "plain")
    assert is_sealed(desk), "what was as it is has gone with the run that named it so"
    assert count(desk) == 1


def interleaved(desk, *seals):
    """Write two calls of a run under each key, in turns, so that each run's rows lie among those of the other."""
    with contextlib.ExitStack() as stack:
        journals = [stack.enter_context(closing(desk.journal(seal=seal))) for seal in seals]
        chains = [each.begin(f"run-{at}", "digest", "a.rtfs", "policy", "0.1") for at, each in enumerate(journals)]
        for number in range(2):
            for chain in chains:
                record = desk.record(number)
                chain.answered(record, BIG, None)
                chain.add(record)
                chain.journal.commit()


def test_runs_that_need_a_key_which_is_not_there_are_all_told_so(desk, keys):
    interleaved(desk, seal_of(desk), seal_of(desk))
    keys.clear()
    seal_of(desk, NEW_KEY)
    for run in ("run-0", "run-1"):
        with pytest.raises(sealing.SealError):
            replies(desk, run)


def test_a_run_without_a_key_goes_on_beside_one_whose_key_is_not_there(desk, keys):
    interleaved(desk, None, seal_of(desk))
    keys.clear()
    seal_of(desk, NEW_KEY)
    assert replies(desk, "run-0") == [f'"{BIG}"'] * 2


def test_references_of_before_are_read_and_go_as_they_did(desk):
    write(desk, "run-1", [BIG])
    desk.sql(
        "UPDATE texts SET body = substr(body, 1, 17) WHERE typeof(body) = 'blob'",
        "UPDATE large SET name = substr(name, 1, 17)",
        "PRAGMA user_version = 3",
    )
    assert desk.verify_all().ok
    assert replies(desk) == [f'"{BIG}"']
    write(desk, "run-2", [BIG])
    assert count(desk) == 2
    with closing(desk.journal()) as journal:
        redact(journal, "run-1")
    assert desk.verify_all().ok


def test_a_file_of_version_3_gets_a_place_for_them_when_it_is_written_to(desk):
    write(desk, "run-1", ["short"])
    desk.sql(
        "DROP INDEX texts_large",
        "DROP TABLE large",
        "DROP TRIGGER IF EXISTS texts_large_gone",
        "PRAGMA user_version = 3",
    )
    assert desk.verify_all().ok
    assert replies(desk) == ['"short"']
    write(desk, "run-2", ["short"])
    assert desk.rows("PRAGMA user_version") == [(4,)], "who knows no references refuses the file"
    assert desk.verify_all().ok
    assert replies(desk, "run-2") == ['"short"']
    write(desk, "run-3", [BIG])
    assert count(desk) == 1
    assert desk.verify_all().ok
    assert replies(desk, "run-3") == [f'"{BIG}"']


def test_one_that_is_there_is_neither_encrypted_nor_written_again(desk, monkeypatch):
    made = []
    close = sealing.Seal.close
    monkeypatch.setattr(sealing.Seal, "close", lambda self, *args: made.append(len(args[-1])) or close(self, *args))
    write(desk, replies=[BIG] * 20, seal=seal_of(desk))
    assert sum(each >= len(BIG) for each in made) == 1
