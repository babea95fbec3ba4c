"""Real servers on loopback that fail in every way: callers get answers all the same, and the server is let be.

What is counted is what arrived at the server. Nothing here looks at the clock on the wall.
"""

from __future__ import annotations

import random

import pytest

from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry import load_catalog
from rtfs_framework.testing.clock import FakeClock
from rtfs_framework.testing.openai_server import Fail, HalfClose, Hang, HangUp, Late, OpenAIServer, Raw, Say

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("rtfs-provider-openai", "rtfs-provider-echo", "rtfs-engine-resilient", "rtfs-engine-static"),
]

PROGRAM = Source(
    "chaos.rtfs",
    """
(defn answer "Answer." [text :string] : :string "own body")
(defn one [text] (try (answer text) (catch HostError e "failed")))
(defn many [n] (frequencies (pmap (fn [x] (one (str "text " x))) (range n))))
(defn one-by-one [n]
  (loop [i 0 said []] (if (< i n) (recur (inc i) (conj said (one (str "text " i)))) (frequencies said))))
""",
)
SERVER = """
[delegation.remote_providers.big]
provider = "openai"
endpoint = "{url}"
model = "m"
timeout = "400ms"
[delegation.local_models.near]
provider = "echo"
"""
ROUTES = '[delegation.static_routes]\nanswer = ["remote-big", "local-near"]\n'
LINE = """
[delegation]
engine = "steady"
[engines.steady]
plugin = "resilient"
primary = "static"
fallback = ["local-near"]
[delegation.static_routes]
answer = "remote-big"
"""
REPEATING = LINE.replace('engine = "steady"', 'engine = "steady"\nattempts = 6').replace(
    "[delegation.static_routes]", 'retries = 3\nbackoff = "10ms"\n[delegation.static_routes]'
)
WAYS = pytest.mark.parametrize("way", [ROUTES, LINE, REPEATING], ids=["routes", "resilient", "repeating"])


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a session against a server."""

    def open_session(server, way, *, clock=None, more=""):
        config = tmp_path / "delegation.toml"
        config.write_text(way + SERVER.format(url=server.url) + more, encoding="utf-8")
        environ = {"RTFS_HOME": str(tmp_path)}
        return Session.open(catalog=load_catalog(environ), config_path=config, environ=environ, clock=clock)

    return open_session


def counted(value):
    """Return how many calls got which kind of answer: of the server, of the fallback, or none."""
    found = {"server": 0, "near": 0, "failed": 0}
    for text, number in value.items():
        found["server" if text == "from the server" else "failed" if text in ("failed", "own body") else "near"] += (
            number
        )
    return found


def trouble(seed):
    """Return what a server does that has every trouble at once: 30 % errors, 10 % that hang, and some of all else."""
    dice = random.Random(seed)
    said = Say('{"value": "from the server"}')
    ways = [Fail(500), Fail(502), Fail(503), Fail(529)]
    garbage = [Raw(b"<html>garbage</html>"), Raw(b"[1")]
    odd = [*garbage, HangUp(), HangUp(halfway=True), HalfClose(), Late(0.2, said)]

    def behave(_):
        roll = dice.random()
        if roll < 0.3:
            return dice.choice(ways)
        if roll < 0.4:
            return Hang()
        return dice.choice(odd) if roll < 0.5 else said

    return behave


@WAYS
@pytest.mark.parametrize("seed", range(3))
def test_answers_whatever_happens_and_no_more_load_than_usual(opened, way, seed):
    calls = 1000
    with OpenAIServer(then=trouble(seed)) as server, opened(server, way) as session:
        got = counted(session.load(PROGRAM).call("many", (calls,)).value)
        arrived = len(server.requests)
    assert got["failed"] <= calls // 1000
    assert got["server"] > 0
    assert arrived <= 1.1 * calls


@WAYS
@pytest.mark.parametrize("behaviour", [Fail(500), Fail(503), Hang(), HangUp(), HalfClose()], ids=str)
def test_once_the_breaker_is_open_nothing_arrives(opened, way, behaviour):
    clock = FakeClock()
    with OpenAIServer(then=behaviour) as server, opened(server, way, clock=clock) as session:
        program = session.load(PROGRAM)
        assert counted(program.call("one-by-one", (20,)).value) == {"server": 0, "near": 20, "failed": 0}
        before = len(server.requests)
        assert before <= 5
        assert counted(program.call("many", (300,)).value) == {"server": 0, "near": 300, "failed": 0}
        assert len(server.requests) == before
        for probes in range(1, 4):  # each pause is twice as long as the one before
            clock.advance(30.0 * 2 ** (probes - 1) + 1)
            assert counted(program.call("many", (100,)).value)["near"] == 100
            assert len(server.requests) == before + probes


@WAYS
def test_a_server_that_comes_back_is_used_again(opened, way):
    clock = FakeClock()
    state = {"now": Fail(503)}
    with OpenAIServer(then=lambda _: state["now"]) as server, opened(server, way, clock=clock) as session:
        program = session.load(PROGRAM)
        program.call("one-by-one", (20,))
        state["now"] = Say('{"value": "from the server"}')
        clock.advance(31.0)
        got = counted(program.call("one-by-one", (50,)).value)
        assert got == {"server": 50, "near": 0, "failed": 0}


@WAYS
def test_429_for_hours_gets_probes_alone(opened, way):
    clock = FakeClock()
    with OpenAIServer(then=Fail(429, headers={"Retry-After": "1"})) as server:
        with opened(server, way, clock=clock) as session:
            program = session.load(PROGRAM)
            for _ in range(4 * 60):
                assert counted(program.call("one-by-one", (2,)).value)["near"] == 2
                clock.advance(60.0)
        assert len(server.requests) <= 4 * 6 + 8  # each ten minutes, and the first ones


@WAYS
def test_the_next_process_does_not_try_a_dead_server(opened, way):
    with OpenAIServer(then=Fail(503)) as server:
        with opened(server, way) as session:
            session.load(PROGRAM).call("one-by-one", (20,))
        before = len(server.requests)
        with opened(server, way) as session:
            assert counted(session.load(PROGRAM).call("many", (100,)).value)["near"] == 100
        assert len(server.requests) == before


def test_repeats_stay_within_their_budget_while_the_breaker_is_off(opened):
    """Half of all requests fail for ever: whoever repeats thrice would double the load."""
    dice, calls = random.Random(7), 600

    def behave(_):
        return Fail(503) if dice.random() < 0.5 else Say('{"value": "from the server"}')

    with OpenAIServer(then=behave) as server:
        more = "[health]\nfailure_rate = 1.0\n"
        with opened(server, REPEATING, more=more) as session:
            assert counted(session.load(PROGRAM).call("many", (calls,)).value)["failed"] == 0
        assert calls < len(server.requests) <= 1.1 * calls + 2


HEDGED = """
[delegation]
engine = "steady"
[engines.steady]
plugin = "resilient"
symbols = ["answer"]
primary = "remote-big"
fallback = ["remote-other"]
hedge = "50ms"
[delegation.remote_providers.big]
provider = "openai"
endpoint = "{big}"
model = "m"
timeout = "30s"
idempotent = true
[delegation.remote_providers.other]
provider = "openai"
endpoint = "{other}"
model = "m"
idempotent = true
"""


def test_a_hedge_answers_for_a_server_that_hangs_now_and_then(tmp_path):
    """One request in ten hangs for longer than the test lasts: whoever waited for it would not come back."""
    dice, calls = random.Random(3), 100
    said = Say('{"value": "from the server"}')
    with OpenAIServer(then=lambda _: Hang() if dice.random() < 0.1 else said) as big, OpenAIServer(then=said) as other:
        config = tmp_path / "delegation.toml"
        config.write_text(HEDGED.format(big=big.url, other=other.url), encoding="utf-8")
        environ = {"RTFS_HOME": str(tmp_path)}
        with Session.open(catalog=load_catalog(environ), config_path=config, environ=environ) as session:
            result = session.load(PROGRAM).call("many", (calls,))
        assert counted(result.value) == {"server": calls, "near": 0, "failed": 0}
        lost = [call for call in result.calls if any("answered first" in each.attempt.reason for each in call.attempts)]
        assert lost
        assert len(other.requests) >= 1
        assert len(big.requests) == calls
