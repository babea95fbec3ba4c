"""Two and three real hosts on loopback: runs, forwards, declines, loops, replays, and chains that are verified."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import ExitStack, closing

import attrs
import pytest

from rtfs_framework.api import FailureKind, ProgramError, RemoteModel
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.following import all_ok, follow, wrong_in
from rtfs_framework.orchestrator.recording.floating import Gathered
from rtfs_framework.orchestrator.session import Session

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.needs("rtfs-provider-remote-rtfs", "rtfs-provider-echo")
from rtfs_framework.testing.served import served  # noqa: E402 - needs the extra `serve`

MOOD = '(defn mood "Its mood." [text : :string] : :string "own") (defn main [x] (mood x))'
ECHO = '[serve]\nid = "{id}"\n[delegation.static_routes]\nmood = "local-echo"\n'


def peer(server, name):
    """Return the tables of a host that sends `mood` to another one."""
    return (
        f'[delegation.static_routes]\nmood = "remote-{name}"\n[delegation.remote_providers.{name}]\n'
        f'endpoint = "{server.url}"\ntoken_env = "{name.upper()}_TOKEN"\n'
    )


@pytest.fixture
def asker(tmp_path):
    """Return a function that opens a session which knows some hosts."""
    with ExitStack() as open_ones:

        def open_(text, **tokens):
            home = tmp_path / "asker"
            home.mkdir(exist_ok=True)
            (home / "delegation.toml").write_text(text, encoding="utf-8")
            environ = {"RTFS_HOME": str(home), **tokens}
            return open_ones.enter_context(Session.open(config_path=home / "delegation.toml", environ=environ))

        yield open_


def change(path, what):
    """Change the rows of calls in a journal, as who may write the file can."""
    with closing(sqlite3.connect(path)) as db, db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(f"UPDATE log SET body = replace(body, {what}) WHERE what = 'ended'")


def run(session, text=MOOD, *args):
    return session.run(Source("asker.rtfs", text), args or ("hello",))


def test_another_host_answers_and_the_chain_verifies_on_both_sides(asker):
    with served(ECHO.format(id="north")) as north:
        session = asker(peer(north, "north"), NORTH_TOKEN=north.token)
        result = run(session)
        (call,) = result.calls
        assert (result.value, call.target, call.remote.host) == ("hello", "remote north", "north")
        (found,) = follow(session.host, session.host.journal.path, result.run_id, 4)
        assert (found.ok, found.run, found.host) == (True, call.remote.run, "north")


def test_a_changed_byte_on_the_other_side_is_found(asker):
    with served(ECHO.format(id="north")) as north:
        session = asker(peer(north, "north"), NORTH_TOKEN=north.token)
        result = run(session)
        change(north.home / "journal.sqlite", "'mood', 'rood'")
        followed = follow(session.host, session.host.journal.path, result.run_id, 4)
        assert not all_ok(followed)
        assert any("was changed" in each for each in wrong_in(followed))


def test_a_head_that_the_other_host_does_not_have_is_found(asker):
    with served(ECHO.format(id="north")) as north:
        session = asker(peer(north, "north"), NORTH_TOKEN=north.token)
        result = run(session)
        path = session.host.journal.path
        session.host.journal.flush()
        change(path, """'"head":"', '"head":"9'""")
        followed = follow(session.host, path, result.run_id, 4)
        assert any("is not in this journal" in each for each in wrong_in(followed))


def test_three_hosts_a_request_is_handed_on_and_followed_all_the_way(asker):
    with (
        served(ECHO.format(id="south")) as south,
        served('[serve]\nid = "north"\n' + peer(south, "south"), environ={"SOUTH_TOKEN": south.token}) as north,
    ):
        session = asker(peer(north, "north"), NORTH_TOKEN=north.token)
        result = run(session)
        assert (result.value, result.calls[0].remote.host) == ("hello", "north")
        (found,) = follow(session.host, session.host.journal.path, result.run_id, 4)
        assert found.ok
        assert [each.host for each in found.followed] == ["south"]
        change(south.home / "journal.sqlite", "'mood', 'rood'")
        (found,) = follow(session.host, session.host.journal.path, result.run_id, 4)
        assert not found.ok
        short = follow(session.host, session.host.journal.path, result.run_id, 1)
        assert any("longer than the hops" in each for each in wrong_in(short))


def test_hops_end_where_they_end(asker):
    with (
        served(ECHO.format(id="south")) as south,
        served('[serve]\nid = "north"\n' + peer(south, "south"), environ={"SOUTH_TOKEN": south.token}) as north,
    ):
        text = peer(north, "north").replace("token_env", "hops = 1\ntoken_env")
        result = run(asker(text, NORTH_TOKEN=north.token))
        (tried,) = result.calls[0].attempts
        assert (result.value, tried.attempt.kind) == ("own", FailureKind.HERE)


def test_a_loop_is_refused(asker):
    with (
        served('[serve]\nid = "north"\n') as north,
        served('[serve]\nid = "south"\n' + peer(north, "north"), environ={"NORTH_TOKEN": north.token}) as south,
    ):
        looped = north.config.read_text(encoding="utf-8") + peer(south, "south")
        north.config.write_text(looped, encoding="utf-8")
        object.__setattr__(north.state, "environ", {**north.state.environ, "SOUTH_TOKEN": south.token})
        north.reload()
        result = run(asker(peer(north, "north"), NORTH_TOKEN=north.token))
        (tried,) = result.calls[0].attempts
        assert (result.value, tried.attempt.kind) == ("own", FailureKind.HERE)


def test_a_host_that_declines_names_another(asker):
    with served(ECHO.format(id="south")) as south:
        naming = f'[serve]\nid = "north"\nelsewhere = ["{south.url}", "https://unknown.example"]\n'
        with served(naming) as north:
            both = peer(north, "north") + (
                f'[delegation.remote_providers.south]\nendpoint = "{south.url}"\ntoken_env = "SOUTH_TOKEN"\n'
            )
            session = asker(both, NORTH_TOKEN=north.token, SOUTH_TOKEN=south.token)
            (tried,) = run(session).calls[0].attempts
            assert tried.attempt.elsewhere == (RemoteModel("south"),)


def test_a_wrong_token_is_told_with_its_variable(asker):
    with served(ECHO.format(id="north")) as north:
        session = asker(peer(north, "north"), NORTH_TOKEN="nobody's")
        hinted = MOOD.replace('mood "Its', '^:delegation :remote "north" mood "Its')
        with pytest.raises(ProgramError, match="NORTH_TOKEN"):
            run(session, hinted)


def test_marks_that_the_other_host_does_not_know_are_refused(asker):
    labels = '[labels]\nmarks = ["pii"]\n[labels.accepts]\n"remote-north" = ["pii"]\n'
    with served(ECHO.format(id="north")) as north:
        session = asker(peer(north, "north") + labels, NORTH_TOKEN=north.token)
        linked = session.link(Source("x", MOOD))
        terms = attrs.evolve(linked.terms, marks=frozenset({"pii"}))
        result = session.run(attrs.evolve(linked, terms=terms), ("secret",))
        assert result.value == "own"
        assert north.state.session_for("").host.journal.head == ""


@pytest.mark.needs("rtfs-cache-l2")
@pytest.mark.parametrize(("accepted", "second"), [('["pii"]', "l2 hit"), ("[]", "l2 miss")])
def test_marks_that_the_other_host_names_count_when_its_answer_is_remembered(asker, accepted, second):
    labels = '[labels]\nmarks = ["pii"]\n[labels.accepts]\n'
    secret = "of-somebody-who-sees-people"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    there = f'"local-echo" = ["pii"]\n[serve.tokens.marked]\nsha256 = "{digest}"\nmarks = ["pii"]\n'
    with served(ECHO.format(id="north") + labels + there) as north:
        here = f'reuse = "always"\n{labels}"remote-north" = ["pii"]\n"cache l2" = {accepted}\n'
        session = asker(peer(north, "north") + here, NORTH_TOKEN=secret)
        results = [run(session) for _ in range(2)]
        assert [each.calls[0].cache for each in results] == ["l2 miss", second]
        assert [each.marks for each in results] == [{"pii"}, {"pii"}]
        assert [each.calls[0].remote.host for each in results] == ["north", "north"]


FAILING = """
(defn judge [x] (throw {:kind "Odd" :message (str "no judgement of " x) :data x}))
(defn asked [x] (call :remote-rtfs.execute {:plan-step (plan-step :judge [x]) :target "north"}))
(defn main [x] (try (asked x) (catch e (getMessage e))))
"""


@pytest.mark.parametrize("caught", [True, False])
def test_marks_that_the_other_host_names_count_when_its_error_is_seen(asker, caught):
    secret = "of-somebody-who-sees-people"
    digest = hashlib.sha256(secret.encode()).hexdigest()
    labels = '[labels]\nmarks = ["pii"]\n'
    there = f'[serve]\nid = "north"\n{labels}[serve.tokens.marked]\nsha256 = "{digest}"\nmarks = ["pii"]\n'
    with served(there) as north:
        text = f'[security]\ngrant = ["remote-rtfs.execute"]\n{labels}' + peer(north, "north")
        session = asker(text, NORTH_TOKEN=secret)
        linked = session.link(Source("x", FAILING))
        carried = Gathered()
        linked = attrs.evolve(linked, terms=attrs.evolve(linked.terms, carried=carried))
        if caught:
            result = session.run(linked, ("Ann",))
            assert "no judgement of" in result.value
            assert result.marks == {"pii"}
        else:
            with pytest.raises(ProgramError, match="no judgement of"):
                session.run(linked, ("Ann",), entry="asked")
        assert carried.label == {"pii"}


STEP = """
(def factor 10)
(defn times [x] (* factor x))
(defn process [items] {:sum (times (reduce + 0 items)) :kind :done})
(defn unused [] (mood))
(defn mood [] 1)
(defn main [x] (call :remote-rtfs.execute {:plan-step (plan-step :process [1 2 x]) %s}))
"""


def test_a_step_runs_there_with_what_it_needs(asker):
    with served('[serve]\nid = "north"\n') as north:
        text = '[security]\ngrant = ["remote-rtfs.execute"]\n' + peer(north, "north")
        session = asker(text, NORTH_TOKEN=north.token)
        for named in (':target "north"', ':target "remote-north"', f':endpoint "{north.url}/execute"', ""):
            result = run(session, STEP % named, 3)
            assert str(result.value) == "Map({:sum: 60, :kind: :done})"
            assert result.calls[0].target == "capability remote-rtfs.execute"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (':target "west"', "is none of the configured hosts: north"),
        (':endpoint "https://evil.example"', "is the address of no configured host"),
        (":host 1", ":host is no key"),
        (":security-context {:level :odd}", ":level is one of :pure, :controlled, :full"),
        (":security-context {:power 1}", "is no rule"),
    ],
)
def test_a_request_that_is_none(asker, named, said):
    with served('[serve]\nid = "north"\n') as north:
        text = '[security]\ngrant = ["remote-rtfs.execute"]\n' + peer(north, "north")
        with pytest.raises(ProgramError, match=said):
            run(asker(text, NORTH_TOKEN=north.token), STEP % named, 3)


def test_a_capability_that_is_not_granted_sends_nothing(asker):
    with served('[serve]\nid = "north"\n') as north, pytest.raises(ProgramError, match="not granted"):
        run(asker(peer(north, "north"), NORTH_TOKEN=north.token), STEP % "", 3)


def test_a_step_may_do_there_no_more_than_here(asker):
    sending = "(defn process [] (call :remote-rtfs.execute {})) (defn main [x] %s)"
    with served('[serve]\nid = "north"\n[security]\nlevel = "full"\n') as north:
        text = '[security]\ngrant = ["remote-rtfs.execute"]\n' + peer(north, "north")
        asked = (
            sending % "(call :remote-rtfs.execute {:plan-step (plan-step :process) :security-context {:level :pure}})"
        )
        with pytest.raises(ProgramError) as raised:
            run(asker(text, NORTH_TOKEN=north.token), asked)
        assert raised.value.kind in ("SecurityViolation", "NetworkError", "UnknownCapability")


def test_records_name_host_run_and_head(asker):
    with served(ECHO.format(id="north")) as north:
        session = asker(peer(north, "north"), NORTH_TOKEN=north.token)
        result = run(session)
        session.host.journal.flush()
        with closing(sqlite3.connect(session.host.journal.path)) as db, db:
            (body,) = [json.loads(row[0]) for row in db.execute("SELECT body FROM log WHERE what = 'ended'")]
        remote = result.calls[0].remote
        assert body["remote"] == {
            "host": "north", "run": remote.run, "head": remote.head, "target": "remote north",
        }  # fmt: skip


def test_nobody_is_asked_about_a_chain_when_the_time_is_over(asker):
    with served(ECHO.format(id="north")) as north:
        session = asker(peer(north, "north"), NORTH_TOKEN=north.token)
        result = run(session)
        session.host.journal.flush()
        (said,) = follow(session.host, session.host.journal.path, result.run_id, 4, 0.0)
        assert not said.ok
        assert said.problems == ("it was not asked: the time for that is over",)
