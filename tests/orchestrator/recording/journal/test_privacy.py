"""What the journal holds of people, who may read it, and how what was kept is removed."""

from __future__ import annotations

import contextlib
import os
import pydoc
import stat
from base64 import b64encode, urlsafe_b64encode
from contextlib import closing
from urllib.parse import quote

import pytest

from rtfs_framework.api import (
    CapabilityError,
    DelegationPlan,
    InferenceReply,
    LocalModel,
    LocalPure,
    PlanSource,
    ProgramError,
    digest,
)
from rtfs_framework.api.private import private_file, private_folder
from rtfs_framework.orchestrator.config.keyfile import KeyFileError, make_key, read_key
from rtfs_framework.orchestrator.recording.journal import query
from rtfs_framework.orchestrator.recording.journal.fault import JournalError
from rtfs_framework.orchestrator.recording.journal.redact import redact
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.orchestrator.session import Session

posix = pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")

SECRETS = ("MARTHA", "JONES 4711")
KEEP = '[journal]\nkeep = "replies"\n'
MODEL = '(defn ^:delegation :local-model "m" f [x] :int 0) '


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@posix
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_folders_and_files_are_private_whatever_the_mask_says(kit, source, capability, mask):
    config = kit.config('[security]\ngrant = ["*"]\n')
    before = os.umask(mask)
    try:
        home = kit.home / "a" / "b"
        catalog = kit.catalog(capabilities=[capability("act", lambda _: 1)])
        with kit.open(catalog, config, environ={"RTFS_HOME": str(home)}) as session:
            session.run(source("(call :act 1)"))
            found = {path.name.rpartition(".")[2]: mode(path) for path in home.iterdir() if path.is_file()}
            assert found == dict.fromkeys(("sqlite", "sqlite-wal", "sqlite-shm", "key", "head"), 0o600)
        assert (mode(home), mode(home.parent)) == (0o700, 0o700)
    finally:
        os.umask(before)


@posix
def test_what_is_laxer_is_tightened(desk):
    desk.run()
    loose = [desk.path, *desk.home.glob("*.head")]
    for path in loose:
        path.chmod(0o644)
    desk.home.chmod(0o755)
    desk.run("run-2")
    assert [mode(path) for path in (*loose, desk.home)] == [0o600, 0o600, 0o700]
    assert desk.verify_all().ok


def test_what_folds_the_log_makes_no_journal_where_there_is_none(desk):
    with closing(desk.journal()) as journal:
        chain = journal.begin("run-1", "d", "s", "p", "v")
        chain.begin(desk.record(0))
        for each in desk.path.parent.iterdir():
            each.unlink()
        journal._help()
        journal._helper.join()
        assert not desk.path.exists()


@posix
def test_a_folder_that_is_not_ours_alone_is_left_as_it_is(desk):
    """A journal that is configured to lie in a project's folder does not close that to others."""
    desk.path.parent.mkdir(mode=0o755)
    desk.run()
    assert (mode(desk.path.parent), mode(desk.path)) == (0o755, 0o600)


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_refused_with_a_way_out(desk, tmp_path):
    desk.run()
    desk.path.chmod(0o644)
    os.chown(desk.path, 12345, 12345)
    with pytest.raises(JournalError, match=r"another user[\s\S]*choose another place"):
        desk.run("run-2")
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    os.chown(folder, 12345, 12345)
    with pytest.raises(PermissionError, match="RTFS_HOME"):
        private_folder(folder)
    file = folder / "f"
    private_file(file)
    assert mode(file) == 0o600


@posix
@pytest.mark.parametrize("what", ["a pipe", "a folder", "a link", "short", "long", "lax"])
def test_a_key_that_is_none_is_refused_and_not_waited_for(tmp_path, what):
    path = tmp_path / "k"
    if what == "a pipe":
        os.mkfifo(path, 0o600)
    elif what == "a folder":
        path.mkdir()
    elif what == "a link":
        (tmp_path / "other").write_bytes(bytes(32))
        path.symlink_to("other")
    else:
        path.write_bytes(bytes({"short": 31, "long": 33, "lax": 32}[what]))
        path.chmod(0o644 if what == "lax" else 0o600)
    for use in (read_key, make_key):
        with pytest.raises(KeyFileError, match=str(path)):
            use(str(path))


def test_digests_are_keyed_and_still_compare(desk, tmp_path):
    other = type(desk)(tmp_path / "other", tmp_path / "other" / "j.sqlite")
    plain = digest("yes")
    found = []
    for each in (desk, other):
        with closing(each.journal()) as journal:
            chain = journal.begin("run-1", "d", "s", "p", "v")
            for n in range(2):
                chain.begin(each.record(n, args_digest=plain, reply_key=plain))
                chain.add(each.record(n, args_digest=plain, reply_digest=plain))
        assert plain.encode() not in b"".join(path.read_bytes() for path in each.path.parent.iterdir())
        found.append([entry["args_digest"] for entry in query.entries_of(each.path, "run-1")])
    assert found[0][0] == found[0][1] != found[1][0]


def stored(kit):
    """Return all bytes that lie in the test's folder."""
    return b"".join(path.read_bytes() for path in kit.home.rglob("*") if path.is_file())


def customer_in_an_error(kit, capability, fake_engine):
    """Everything that may hold a customer's words: replies, errors of providers and capabilities, explanations."""
    who = " ".join(SECRETS)

    def fails(_request):
        raise CapabilityError(f"no account of {who}", who)

    def breaks(_request):
        raise RuntimeError(who)

    replies = {"type": who, "error": ConnectionError(who), "says": InferenceReply(text="1", explanation=f"of {who}")}
    entries = [capability("fails", fails), capability("breaks", breaks)]
    return kit.catalog(kit.provider("m", lambda request: replies[request.args[0][-5:].strip()]), capabilities=entries)


PROGRAMS = [
    MODEL + '(try (f "MARTHA JONES 4711 type") (catch e 0))',
    MODEL + '(f "MARTHA JONES 4711 type")',
    MODEL + '(try (f "MARTHA JONES 4711 error") (catch e 0))',
    MODEL + '(f "MARTHA JONES 4711 says")',
    MODEL + '(f "MARTHA JONES 4711 says") (throw "MARTHA JONES 4711")',
    MODEL + '(f " says") (throw {:kind "MARTHA" :message "JONES 4711" :code "MARTHA" :data {:code "JONES 4711"}})',
    MODEL + '(f " says") (throw {:kind "JONES 4711" :code "JONES 4711"})',
    "(try (call :fails 1) (catch e 0))",
    "(call :fails 1)",
    "(call :breaks 1)",
    '(context/set :k "MARTHA JONES 4711") (call :breaks (context/get :k))',
    MODEL + '(f " says") (/ 1 (count (substring "MARTHA JONES 4711" 17 17)))',
    MODEL + '(f " says") (parse-int (get {"MARTHA" 1} "JONES 4711"))',
    MODEL + '(f " says") (match "MARTHA JONES 4711" 1 2)',
]


@pytest.mark.parametrize("text", PROGRAMS)
def test_without_keep_args_nothing_that_a_customer_said_is_stored(kit, source, capability, fake_engine, text):
    catalog = customer_in_an_error(kit, capability, fake_engine)
    with kit.open(catalog, '[security]\ngrant = ["*"]\n') as session, contextlib.suppress(ProgramError):
        session.run(source(text))
    raw = stored(kit)
    assert b"log_runs" in raw, "the journal is there"
    assert not [word for word in SECRETS if word.encode() in raw]
    (row,) = query.list_runs(kit.journal)
    if row.status == "failed":
        assert row.message, "kind, code or place are told"


@pytest.mark.parametrize("way", ["raises", "concludes", "raises after a consultation"])
def test_nor_what_an_engine_made_of_it(kit, source, fake_engine, way):
    who = " ".join(SECRETS)
    engine = fake_engine(claimed=("g",))

    def decide(context):
        if way == "raises":
            raise RuntimeError(who)
        answer = context.consult(LocalModel("m"), "which?")
        if "raises" in way:
            raise RuntimeError(answer)
        return DelegationPlan(
            target=LocalPure(), reasoning=answer, source=PlanSource.ENGINE, context=(("why", answer),)
        )

    engine.decide = decide
    reply = InferenceReply(text=who, explanation=who)
    with kit.open(kit.catalog(kit.provider("m", lambda _: reply), engine=engine)) as session:
        assert session.run(source("(defn g [x] x) (g 1)")).value == 1
    raw = stored(kit)
    assert b"log_runs" in raw
    assert not [word for word in SECRETS if word.encode() in raw]
    assert verify_all(kit.journal, kit.home).ok


def test_kind_and_place_are_told(kit, source, capability):
    text = MODEL + '\n(try (f "type") (catch e 0))\n(/ 1 0)'
    with kit.open(kit.catalog(kit.provider("m", lambda _: "x"))) as session, pytest.raises(Exception, match="zero"):
        session.run(source(text))
    (row,) = query.list_runs(kit.journal)
    assert row.message == "DivisionByZero at test.rtfs:3:1"
    (entry,) = query.entries_of(kit.journal, row.id)
    assert (entry["error_kind"], entry["error_code"], entry["error"]) == ("TypeValidationError", "", "")


def test_with_keep_args_texts_are_kept_without_secrets(kit, source):
    text = MODEL + '(try (f "tok-123456") (catch _ e 0)) (throw "no key-abcdef")'
    failure = ConnectionError("401 for key-abcdef with tok-123456")
    environ = {**kit.environ, "MY_KEY": "key-abcdef", "HF_TOKEN": "tok-123456"}
    catalog = kit.catalog(kit.provider("m", lambda _: failure))
    with kit.open(catalog, KEEP, environ=environ) as session, pytest.raises(Exception, match="no key"):
        session.run(source(text))
    (row,) = query.list_runs(kit.journal)
    (entry,) = query.entries_of(kit.journal, row.id)
    assert (row.message, entry["args"]) == ("no [secret]", '["[secret]"]')
    assert "401 for [secret] with [secret]" in entry["error"]
    assert b"key-abcdef" not in stored(kit)
    assert b"tok-123456" not in stored(kit)


KEY = "sk-Test/ü+key=\r\n"
SPELLINGS = [
    KEY, KEY.strip(), repr(KEY), ascii(KEY), KEY.strip().encode("unicode_escape").decode(), quote(KEY.strip()),
    quote(KEY.strip(), safe=""), quote(KEY.strip(), safe="").replace("%C3%BC", "%c3%bC"),
    *(b64encode(b"user:"[:n] + KEY.strip().encode() + b"x" * m).decode() for n in range(4) for m in range(3)),
    *(urlsafe_b64encode(b"user:"[:n] + KEY.strip().encode()).decode() for n in range(4)),
    KEY.strip().encode().hex(), KEY.strip().encode().hex().upper(),
    "".join(f"\\u{ord(c):04x}" for c in KEY.strip()), "".join(f"\\x{ord(c):02X}" for c in KEY.strip()),
    KEY.strip().replace("/", "\\/"), "".join(f"&#{ord(c)};" for c in KEY.strip()),
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_struck_out_in_any_spelling(kit, source, spelling):
    catalog = kit.catalog(kit.provider("m", lambda _: ConnectionError(f"refused: <{spelling}> was sent")))
    with kit.open(catalog, KEEP, environ={**kit.environ, "ACME_API_KEY": KEY}) as session:
        run = session.run(source(MODEL + '(try (f "a") (catch e 0))')).run_id
    (entry,) = query.entries_of(kit.journal, run)
    assert "[secret]" in entry["error"]
    left = entry["error"].partition("refused: <")[2].partition("(conftest")[0].partition("> was")[0]
    left = left.replace("[secret]", "")
    assert len(left) <= 12, "at most what stood around it, and the ends that a coding shares with it"


class TestRedacting:
    @pytest.fixture
    def kept(self, kit, source):
        """A run with four calls whose texts are kept; gives the kit and the run."""
        text = MODEL + '(f "one secret") (defn main [x] (do (f x) (pmap f ["two secret" "three secret"])))'
        catalog = kit.catalog(kit.provider("m", lambda _: InferenceReply(text="1", explanation="my secret")))
        with kit.open(catalog, KEEP) as session:
            run = session.run(source(text), ("zero secret",)).run_id
        return kit, run

    def journal(self, kit):
        return kit.open(kit.catalog()).host.journal

    def test_a_whole_run(self, kept):
        kit, run = kept
        assert b"three secret" in stored(kit)
        with closing(self.journal(kit)) as journal:
            assert redact(journal, run) == 13
            assert b"secret" not in stored(kit).replace(b"secret_", b""), "not in SQLite's log either"
        assert verify_all(kit.journal, kit.home).ok
        for entry in query.entries_of(kit.journal, run):
            assert (entry["args"], entry["removed"]) == (None, ["args", "explanation"])
        with closing(self.journal(kit)) as journal:
            assert redact(journal, run) == 0

    def test_some_calls(self, kept):
        kit, run = kept
        with closing(self.journal(kit)) as journal:
            assert redact(journal, run, ["0:0", "1:1.1.0"]) == 6
            with pytest.raises(JournalError, match="no call 9:9"):
                redact(journal, run, ["0:0", "9:9"])
        args = [entry["args"] for entry in query.entries_of(kit.journal, run)]
        assert args == [None, '["zero secret"]', '["two secret"]', None]
        assert verify_all(kit.journal, kit.home).ok

    def test_what_goes_without_a_row_about_it_is_found(self, kept):
        kit, run = kept
        with closing(self.journal(kit)) as journal:
            redact(journal, run, ["0:0"])
        with closing(__import__("sqlite3").connect(kit.journal)) as db:
            db.execute("DELETE FROM texts")
            db.commit()
        verdict = verify_all(kit.journal, kit.home)
        assert "is missing" in verdict.problems[0]


def test_help_does_not_tell_the_environment(monkeypatch):
    """The environment was a default argument once."""
    monkeypatch.setenv("A_SECRET_OF_MINE", "never-shown")
    assert "never-shown" not in pydoc.render_doc(Session.open)
    assert "environ" not in {repr(value) for value in (Session.open.__func__.__kwdefaults__ or {}).values()}
