"""A caller's rules and bounds only narrow what the server's own allow."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.config.security import Reach, RuntimeContext, SecurityLevel
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrower
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.server.state import ServerState

CONTROLLED = RuntimeContext(level=SecurityLevel.CONTROLLED, grant=("fs.*", "net.get"), reach=Reach.LOCAL)
FULL = RuntimeContext(level=SecurityLevel.FULL)


@pytest.mark.parametrize(
    ("rules", "by", "grant", "level"),
    [
        (CONTROLLED, Narrowing(grant=("fs.read", "db.read")), ("fs.read",), SecurityLevel.CONTROLLED),
        (CONTROLLED, Narrowing(grant=("*",)), ("fs.*", "net.get"), SecurityLevel.CONTROLLED),
        (CONTROLLED, Narrowing(level=SecurityLevel.FULL), ("fs.*", "net.get"), SecurityLevel.CONTROLLED),
        (CONTROLLED, Narrowing(grant=()), (), SecurityLevel.CONTROLLED),
        (FULL, Narrowing(grant=("fs.read",)), ("fs.read",), SecurityLevel.CONTROLLED),
        (FULL, Narrowing(level=SecurityLevel.FULL, grant=("fs.read",)), ("fs.read",), SecurityLevel.CONTROLLED),
        (FULL, Narrowing(level=SecurityLevel.FULL, grant=()), (), SecurityLevel.CONTROLLED),
        (CONTROLLED, Narrowing(level=SecurityLevel.FULL, grant=("fs.read",)), ("fs.read",), SecurityLevel.CONTROLLED),
        (FULL, Narrowing(level=SecurityLevel.FULL), ("*",), SecurityLevel.FULL),
        (FULL, Narrowing(level=SecurityLevel.CONTROLLED), ("*",), SecurityLevel.CONTROLLED),
        (FULL, Narrowing(level=SecurityLevel.PURE), ("*",), SecurityLevel.PURE),
    ],
)
def test_what_both_allow_is_allowed(rules, by, grant, level):
    made = narrower(rules, by)
    assert set(made.grant) == set(grant)
    assert made.level is level


def test_reach_and_denials_add_up():
    rules = RuntimeContext(level=SecurityLevel.FULL, reach=Reach.LOCAL, deny=("a",))
    made = narrower(rules, Narrowing(reach=Reach.REMOTE, deny=("b",)))
    assert made.reach is Reach.LOCAL
    assert made.deny == ("a", "b")
    assert narrower(rules, Narrowing(reach=Reach.PURE)).reach is Reach.PURE


@pytest.mark.needs("rtfs-provider-openai")
def test_a_key_that_is_set_is_no_word_about_whose_programs_may_use_it(tmp_path, monkeypatch):
    """In a tool, described functions go to the provider whose key is set; what others send goes where somebody said."""
    monkeypatch.chdir(tmp_path)
    environ = {"RTFS_HOME": str(tmp_path), "OPENAI_API_KEY": "sk-1"}
    with Session.open(environ=environ) as own:
        assert own.host.config.found is not None
    state = ServerState.open(None, environ=environ)
    assert state.current.sessions[""].host.config.found is None
    state.close()
