"""`--agent` and `--constraint`: what engines read of whoever asks, for one command."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.needs("rtfs-engine-static")

CONFIG = """
[delegation]
engine = "static"

[[engines.static.rules]]
symbols = "mood"
agent = "clerk"
constraints = { latency = "low" }
deny = "the clerk has no moods"
"""
PROGRAM = "(defn mood [x] x)\n(mood 1)\n"


@pytest.fixture
def program(folder):
    (folder / "delegation.toml").write_text(CONFIG)
    (folder / "a.rtfs").write_text(PROGRAM)
    return "a.rtfs"


def test_rules_see_for_whom_a_program_runs(rtfs, program):
    assert rtfs("run", program, "--trust").code == 0
    refused = rtfs("run", program, "--trust", "--agent", "clerk", "--constraint", "latency=low")
    assert refused.code == 1
    assert "the clerk has no moods" in refused.err
    assert rtfs("run", program, "--trust", "--agent", "clerk", "--constraint", "latency=high").code == 0


def test_explain_sees_it_too(rtfs, program):
    found = rtfs("explain", program, "--trust", "--call", "(mood 1)", "--agent", "clerk", "--constraint", "latency=low")
    assert "denied" in found.out


@pytest.mark.parametrize("wrong", ["latency", "=low", "9=low", "a b=low"])
def test_a_constraint_that_is_none_is_refused_with_the_way_out(rtfs, program, wrong):
    found = rtfs("run", program, "--trust", "--constraint", wrong)
    assert found.code == 2
    assert "NAME=VALUE" in found.err
