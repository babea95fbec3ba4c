"""Changes of signals are rows of the journal, so that another policy can be answered what the first did not read."""

from __future__ import annotations

import json
from contextlib import closing
from enum import Enum

import attrs
import pytest

from rtfs_framework.orchestrator.recording.plain import plain_of


class Breaker(Enum):
    OPEN = "open"


@attrs.frozen
class Band:
    p50: float
    p95: float


def signals(desk):
    return [json.loads(body) for (body,) in desk.rows("SELECT body FROM log WHERE what = 'signal' ORDER BY position")]


def test_a_change_is_a_row_of_its_host_and_the_chain_holds(desk):
    with closing(desk.journal()) as journal:
        journal.signal("health", "remote:x", Breaker.OPEN)
        chain = journal.begin("run-1", "d", "s", "p", "v", seed="5eed", tenant="acme")
        chain.add(desk.record(0, signals=journal.signals))
        journal.signal("latency", "remote:x", Band(0.5, 1.4))
        chain.end("complete")
    first, second = signals(desk)
    assert first == {"signal": "health", "of": "remote:x", "value": "open", "host": journal.host, "number": 1}
    assert (second["number"], second["value"]) == (2, {"p50": 0.5, "p95": 1.4})
    ((run,),) = desk.rows("SELECT body FROM log WHERE what = 'run'")
    assert {"seed": "5eed", "tenant": "acme", "host": journal.host}.items() <= json.loads(run).items()
    assert desk.verify().ok
    assert desk.verify_all().ok


def test_a_changed_signal_is_found(desk):
    with closing(desk.journal()) as journal:
        journal.signal("health", "remote:x", "open")
        journal.begin("run-1", "d", "s", "p", "v").end("complete")
    desk.sql("UPDATE log SET body = replace(body, 'open', 'closed') WHERE what = 'signal'")
    assert not desk.verify_all().ok


def test_a_secret_in_a_name_is_struck_out(desk):
    with closing(desk.journal(blot=lambda text: text.replace("s3cret", "***"))) as journal:
        journal.signal("budget", "of s3cret", 1)
        journal.begin("run-1", "d", "s", "p", "v", tenant="s3cret").end("complete")
    assert b"s3cret" not in desk.path.read_bytes()


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (3, 3),
        (True, True),
        (0.5, 0.5),
        (float("inf"), "inf"),
        ((1, "a"), [1, "a"]),
        (Breaker.OPEN, "open"),
    ],
)
def test_values_become_plain_data(value, plain):
    assert plain_of(value) == plain
