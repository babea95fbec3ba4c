"""A caller's rules and bounds only narrow what the server's own allow."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.config.security import Reach, RuntimeContext, SecurityLevel
from rtfs_framework.orchestrator.running.narrowing import Narrowing, narrower

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
