"""What stands on a worker where a run's chain and its journal would: it has all that they have, and keeps no file."""

from __future__ import annotations

import inspect

import pytest

from rtfs_framework.api import FailureKind, ProviderError
from rtfs_framework.orchestrator.recording.journal.run import Chain
from rtfs_framework.orchestrator.recording.journal.writer import Journal
from rtfs_framework.orchestrator.spreading import worker

ASKS = '(defn ^:delegation :remote "cloud" f [x] x)\n'


def signature(of, name):
    found = inspect.getattr_static(of, name)
    return inspect.signature(found) if inspect.isfunction(found) else type(found)


@pytest.mark.parametrize(
    ("real", "stand_in"), [(Chain, worker._Calls), (Journal, worker._NoJournal)], ids=["chain", "journal"]
)
def test_they_have_all_that_the_real_ones_have(real, stand_in):
    names = [name for name in vars(real) if not name.startswith("__")]
    assert len(names) > 15
    differing = [name for name in names if signature(real, name) != signature(stand_in, name)]
    assert differing == []


@pytest.mark.parametrize(
    "before",
    ["(host/sleep 0.01)", '(await (ticket (f "y")))', '(pmap f ["y" "z"])', "(count (range 5))"],
    ids=["sleep", "ticket", "pmap", "pure"],
)
def test_programs_say_on_workers_what_they_say_at_home(world, tmp_path, monkeypatch, before):
    here = tmp_path / "elsewhere"
    here.mkdir()
    monkeypatch.chdir(here)
    program = ASKS + f'(defn main [record] [{before} (f (get record "text"))])'
    with world.open() as session:
        spread = world.spread(session, ["a", "b"], program)
        found = [(each.value, each.error, [call.symbol for call in each.calls]) for each in spread]
        spread.close()
        with session.load(session.link(program)) as loaded:
            home = [*session.stream(loaded, "main", [{"text": "a"}, {"text": "b"}])]
    assert found == [(each.value, each.error, [call.symbol for call in each.calls]) for each in home]
    assert all(error is None for _, error, _ in found)
    assert list(here.iterdir()) == []


def test_observers_of_a_worker_hear_of_calls_that_fail_without_its_secrets(world, observer):
    heard = []
    world.observers = (observer("o", heard.append),)

    def answer(request):
        return ProviderError("the key key-of-acme is wrong", provider="cloud", failure=FailureKind.FINAL)

    world.answer = answer
    with world.open("[delegation]\non_exhausted = 'error'\n") as session:
        spread = world.spread(session, ["a"])
        (found,) = spread
        spread.close()
    worker.close_all()
    assert found.error.kind == "NetworkError"
    told = [each.fields["error"] for each in heard if each.name == "call.failed"]
    assert len(told) == 2, "by the worker, and at home"
    assert not any("key-of-acme" in each for each in told)


def test_nothing_is_kept_of_a_call_but_what_is_told(world, monkeypatch):
    made = []

    class Watched(worker._Calls):
        def __init__(self, *given):
            super().__init__(*given)
            made.append(self)

    monkeypatch.setattr(worker, "_Calls", Watched)
    with world.open() as session:
        spread = world.spread(session, ["a", "b"])
        assert [each.value for each in spread] == ["A!", "B!"]
        spread.close()
    assert made
    for calls in made:
        assert (calls._told, calls._answered, calls.open_calls, calls.journal.waiting) == ({}, {}, 0, 0)
