"""In a host: routes, choices with their confidence, what is too long goes elsewhere, what crashed is tried again."""

from __future__ import annotations

import pytest

from rtfs_framework.api import Keyword
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.load import load_catalog

CONFIG = """
[delegation.local_models.small]
provider = "llama"
model = "small.gguf"
backend = "rtfs_provider_llama.testing:LettersBackend"
context = 1024
{more}
[delegation.static_routes]
"*" = ["local-small", "local-pure"]
"""
MOOD = '(defn mood "The mood." [text :string] : [:enum :good :bad] :bad)'
SAY = '(defn say "Say it." [text :string] :string "own body")'


@pytest.fixture
def run(model, monkeypatch):
    """Return what runs a program under a configuration, and answers its value and the records of its calls."""
    home = model.parent

    def ran(program, more=""):
        (home / "delegation.toml").write_text(CONFIG.format(more=more), encoding="utf-8")
        catalog = load_catalog({})
        environ = {"RTFS_HOME": str(home)}
        with Session.open(program_dir=home / "none", environ=environ, catalog=catalog, journal=False) as session:
            result = session.run(Source("prog.rtfs", program))
            return result.value, list(result.calls)

    return ran


def test_a_choice_has_its_probability(run):
    value, (call,) = run(f'{MOOD} (mood "goooood")')
    assert value == Keyword("good")
    assert 0.5 < call.confidence < 1.0
    assert call.model == "small.gguf"


def test_an_unsure_choice_goes_elsewhere(run):
    value, calls = run(f'{SAY} {MOOD} [(mood "goooood") (say "x y")]', "min_confidence = 0.99")
    assert value == (Keyword("bad"), "y")  # the own body's; a text has no probability, and counts as sure
    assert "low-confidence" in str(calls[0].attempts)


def test_what_is_too_long_goes_elsewhere(run):
    long = "a long text " * 200
    value, (call,) = run(f'{SAY} (say "{long}")')
    assert value == "own body"
    assert "final-here" in str(call.attempts)


def test_a_crash_costs_one_attempt(run):
    value, calls = run(f'{SAY} [(say "(crash)") (say "well")]')
    assert value[1] == "well"
    assert len(calls) == 2
    assert calls[0].attempts


def test_a_map_of_calls_is_answered_in_order(run):
    value, _ = run(f'{SAY} (vec (map say ["one" "two" "three"]))')
    assert value == ("one", "two", "three")
