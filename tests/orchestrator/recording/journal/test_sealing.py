"""Kept texts, encrypted at rest: not in the file, whole only with their key, and never where they do not belong."""

from __future__ import annotations

import sqlite3
from base64 import urlsafe_b64encode
from contextlib import closing

import pytest

from rtfs_framework.api import digest
from rtfs_framework.orchestrator.recording.journal import query, sealing
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.history import SEALED, history_of
from rtfs_framework.orchestrator.recording.journal.kept import Job
from rtfs_framework.orchestrator.recording.journal.redact import redact
from rtfs_framework.orchestrator.recording.journal.unended import unended

pytest.importorskip("cryptography", reason="the extra `encrypt`")

KEY, OTHER = bytes(range(32)), bytes(32)
WORDS = "MARTHA JONES"
ENCRYPT = '[journal]\nkeep = "replies"\nencrypt = "env:TEXTS_KEY"\n'


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    """No key is known before a test, none after it."""
    known = {}
    monkeypatch.setattr(sealing, "_known", known)
    return known


@pytest.fixture
def seal(desk):
    def made(key=KEY):
        return sealing.seals_of(["env:K"], {"K": key.hex()}, desk.path)[0]

    return made


def write(desk, run="run-1", status="complete", **options):
    """Write a run with a program, an argument, a reply and a message."""
    with closing(desk.journal(keep_args=True, **options)) as journal:
        chain = journal.begin(run, "digest", "a.rtfs", "policy", "0.1", job=Job(name="a.rtfs", text=WORDS))
        record = desk.record(0, args_text=f'["{WORDS}"]', args_digest=digest(WORDS), explanation=WORDS)
        chain.answered(record, WORDS, None)
        chain.add(record)
        if status:
            chain.end(status, ValueError(WORDS))
    return run


def raw(desk):
    return b"".join(path.read_bytes() for path in desk.path.parent.iterdir())


def test_nothing_of_the_texts_is_in_the_file_or_its_log(desk, seal):
    write(desk)
    assert WORDS.encode() in raw(desk)
    desk.path.unlink()
    with closing(desk.journal(keep_args=True, seal=seal())) as journal:
        chain = journal.begin("run-1", "digest", "a.rtfs", "policy", "0.1", job=Job(name="a.rtfs", text=WORDS))
        record = desk.record(0, args_text=f'["{WORDS}"]', explanation=WORDS)
        chain.answered(record, WORDS, None)
        chain.begin(record)
        chain.add(record)
        journal.commit()
        assert b"begun" in raw(desk)
        assert WORDS.encode() not in raw(desk)
        chain.end("failed", ValueError(WORDS))
    assert WORDS.encode() not in raw(desk)
    assert {type(body) for (body,) in desk.rows("SELECT body FROM texts")} == {bytes}


def test_what_is_read_with_the_key_is_what_was_written(desk, seal):
    write(desk, "run-1")
    write(desk, "run-2", "failed", seal=seal())
    for run in ("run-1", "run-2"):
        row, entries = query.show_run(desk.path, run)
        (entry,) = entries
        assert (entry["args"], entry["explanation"]) == (f'["{WORDS}"]', WORDS)
        assert entry["reply"] is not None
        assert entry["sealed"] == []
        assert row.message == WORDS
    assert desk.verify_all() == desk.verify_all()
    assert (desk.verify_all().ok, desk.verify().note) == (True, "")


def test_a_decision_keeps_no_words_beside_texts_that_are_encrypted(desk, seal, monkeypatch):
    seen = []
    from rtfs_framework.orchestrator.recording.journal import texts

    told = texts.decision_text
    monkeypatch.setattr(texts, "decision_text", lambda *said, keep: seen.append(keep) or told(*said, keep=keep))
    write(desk, "run-1")
    write(desk, "run-2", seal=seal())
    assert seen == [True, False]


def test_without_the_key_rows_are_proved_and_texts_are_counted(desk, seal, keys):
    write(desk, seal=seal())
    keys.clear()
    row, entries = query.show_run(desk.path, "run-1")
    (entry,) = entries
    assert (entry["args"], entry["explanation"], row.message) == (None, "", "ValueError")
    assert entry["sealed"] == ["args", "explanation", "reply"]
    assert entry["removed"] == []
    with history_of(desk.path, desk.home) as history:
        (told,) = history.decisions("run-1")
        assert told.lacks == SEALED
    verdict = desk.verify_all()
    assert verdict.ok
    assert verdict.notes == ("5 kept texts were not looked at: their key is not here",)
    desk.sql("UPDATE log SET body = replace(body, '\"micros\":250000', '\"micros\":250001')")
    assert not desk.verify_all().ok


def test_the_end_of_a_run_removes_them_and_redaction_does(desk, seal, keys):
    write(desk, seal=seal())
    keys.clear()
    with closing(desk.journal()) as journal:
        assert redact(journal, "run-1") == 5
    assert desk.rows("SELECT count(*) FROM texts") == [(0,)]
    assert desk.verify_all().ok


@pytest.mark.parametrize("where", [0, 3, 12, 40, -1], ids=["version", "key", "nonce", "text", "tag"])
def test_a_changed_text_is_found(desk, seal, where):
    write(desk, seal=seal())
    ((position, body),) = desk.rows("SELECT position, body FROM texts WHERE name = 'args'")
    changed = bytearray(body)
    changed[where] ^= 1
    desk.sql(("UPDATE texts SET body = ? WHERE position = ? AND name = 'args'", (bytes(changed), position)))
    assert desk.verify_all().problems == (f"a kept text of row {position} was changed or added: args",)


def test_a_text_fits_only_its_own_row_name_and_journal(seal):
    sealed = seal().close("aa", 7, "args", WORDS)
    assert seal().open("aa", 7, "args", sealed) == WORDS
    assert sealed != seal().close("aa", 7, "args", WORDS)
    for journal, position, name in (("ab", 7, "args"), ("aa", 8, "args"), ("aa", 7, "reply")):
        with pytest.raises(ValueError, match="not what was sealed"):
            seal().open(journal, position, name, sealed)


def test_another_key_does_not_write_and_older_keys_are_named_beside_it(desk, seal, keys):
    write(desk, seal=seal())
    keys.clear()
    with pytest.raises(JournalError, match="another key") as caught:
        write(desk, "run-2", seal=seal(OTHER))
    assert caught.value.code == "E0727"
    new, _ = sealing.seals_of(["env:NEW", "env:OLD"], {"NEW": OTHER.hex(), "OLD": KEY.hex()}, desk.path)
    write(desk, "run-2", seal=new)
    assert [next(query.entries_of(desk.path, run))["explanation"] for run in ("run-1", "run-2")] == [WORDS, WORDS]


def test_a_run_is_gone_on_with_only_with_the_key(desk, seal, keys):
    write(desk, "run-1", "waiting", seal=seal())
    assert unended(desk.path, "run-1", desk.home).facts.job.text == WORDS
    keys.clear()
    with pytest.raises(JournalError, match="a key that is not here") as caught:
        unended(desk.path, "run-1", desk.home)
    assert caught.value.code == "E0727"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (KEY.hex(), True),
        (KEY.hex().upper() + "\n", True),
        (urlsafe_b64encode(b"\xff" * 32).decode(), True),
        ("", False),
        ("password", False),
        (KEY.hex()[2:], False),
        ("ü" * 64, False),
    ],
    ids=["hex", "upper", "base64", "empty", "word", "short", "letters"],
)
def test_keys_are_32_bytes(desk, text, good):
    if good:
        assert len(sealing.seals_of(["env:K"], {"K": text}, desk.path)) == 1
        return
    with pytest.raises(JournalError, match=r"32 bytes|not set") as caught:
        sealing.seals_of(["env:K"], {"K": text}, desk.path)
    assert caught.value.code == "E0727"
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o644], ids=["private", "open"])
def test_a_file_with_a_key_is_its_owners_alone(desk, tmp_path, mode):
    file = tmp_path / "texts.key"
    with pytest.raises(JournalError, match="cannot be opened"):
        sealing.seals_of([f"file:{file}"], {}, desk.path)
    file.write_text(KEY.hex())
    file.chmod(mode)
    if mode == 0o600:
        assert sealing.seals_of([f"file:{file}"], {}, desk.path)[0].secret == KEY
    else:
        with pytest.raises(JournalError, match="not this user's alone"):
            sealing.seals_of([f"file:{file}"], {}, desk.path)


def test_a_host_without_its_key_does_not_open(kit, source, capability):
    config = f'{ENCRYPT}[security]\ngrant = ["*"]\n'
    environ = {"RTFS_HOME": str(kit.home)}
    catalog = kit.catalog(capabilities=[capability("act", lambda _: "told " + WORDS)])
    with pytest.raises(JournalError, match="TEXTS_KEY is not set"):
        kit.open(catalog, config, environ=environ)
    with kit.open(catalog, config, environ={**environ, "TEXTS_KEY": KEY.hex()}) as session:
        session.run(source(f'(call :act "{WORDS}")'))
        with closing(sqlite3.connect(kit.journal)) as connection:
            assert {type(body) for (body,) in connection.execute("SELECT body FROM texts")} == {bytes}
    assert WORDS.encode() not in kit.journal.read_bytes()
    assert "told " + WORDS in next(query.entries_of(kit.journal, query.list_runs(kit.journal)[0].id))["reply"]


@pytest.mark.parametrize("text", ["K", "env:", "vault:x"])
def test_what_names_no_key_is_a_mistake_of_the_configuration(kit, text):
    with pytest.raises(Exception, match="names no key") as caught:
        kit.open(kit.catalog(), f'[journal]\nencrypt = "{text}"\n')
    assert "E0705" in str(caught.value)
