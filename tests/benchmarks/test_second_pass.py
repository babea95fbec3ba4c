"""The triage over the same messages again asks no model for anything that was asked, and gives the same."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.needs("rtfs-cache-l2", "rtfs-provider-openai", "rtfs-provider-rules")


def test_a_second_pass_asks_nobody_and_gives_the_same():
    from benchmarks.second_pass import passes

    first, second = passes(pause=0.0, limit=8)
    assert (first.requests, second.requests) == (8, 0)
    assert first.values == second.values
    assert all(value["draft"] == "We look into it." for value in map(_named, first.values))


def _named(value):
    return {key.name: found for key, found in value.items()}


@pytest.mark.slow
def test_the_command(capsys):
    from benchmarks.second_pass import main

    assert main(["--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [each["requests"] for each in data["passes"]] == [data["messages"], 0]
