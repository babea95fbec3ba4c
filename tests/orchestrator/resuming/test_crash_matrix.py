"""Generated programs, killed with SIGKILL wherever it matters and gone on with: the same value, nothing paid twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

import rtfs_framework
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.testing.effort import effort

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from programs import TWICE, Place, program  # noqa: E402 - the process's own parts

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
SIZE = 40
"""Calls of a program, at least."""


@attrs.define
class Whole:
    """What a program does when nobody dies, and the same program among deaths."""

    place: Place
    text: str
    value: str
    calls: dict
    effects: list

    @classmethod
    def of(cls, home, text):
        place = Place(home)
        value = place.begin(text)
        run = place.latest.id
        calls, effects = place.calls(run), sorted((name, arg) for name, _, arg in place.effects)
        assert {ends for _, _, ends in calls.values()} == {1}
        assert len(effects) == len(set(effects)), "the arguments of a program differ, so that effects tell of calls"
        return cls(place, text, value, calls, effects)

    def killed(self, moment, again):
        """Kill it at a moment, and whoever goes on with it at these; tell whether it died at all."""
        place = self.place
        place.clear()
        before = place.latest.id
        died = place.dies(moment, lambda: place.begin(self.text))
        run = place.latest
        if run.id == before:
            assert not place.effects, "it was not written down before its first effect"
            return died
        for each in (*again, None):
            if run.status == "complete":
                break
            assert run.status in ("unfinished", "interrupted"), "interrupted: nobody knew how a call had ended"
            self.gone_on_with(run.id, each)
            run = place.latest
        self.prove(run.id)
        return died

    def gone_on_with(self, run, moment):
        """Go on with a run, and die at a moment: what had ended is not asked for again."""
        place = self.place
        over = {(symbol, args) for symbol, args, ends in place.calls(run).values() if ends}
        begun = len(place.effects)
        if moment is not None:
            place.dies(moment, lambda: place.settle(run))
        else:
            assert place.settle(run) == self.value
        for name, _, arg in place.effects[begun:]:
            assert (name, place.keyed(arg)) not in over, f"{name} {arg} had ended, and was asked for again"

    def prove(self, run):
        """Compare what came of it with what comes of it when nobody dies."""
        place = self.place
        assert place.latest.status == "complete"
        assert place.calls(run) == self.calls, "the same calls by id, each of which ended once"
        keyed = list(dict.fromkeys(each for each in place.effects if each[0] == "put"))
        others = [each for each in place.effects if not TWICE[each[0]]]
        models = {each for each in place.effects if each[0] in ("paid", "near")}
        assert sorted((name, arg) for name, _, arg in (*keyed, *others, *models)) == self.effects
        assert not place.texts(), "what was needed to go on with it is gone"


@pytest.mark.parametrize("seed", range(effort(1)))
def test_killed_at_some_moments_and_gone_on_with(tmp_path, seed):
    whole = Whole.of(tmp_path, program(seed, SIZE))
    draw = random.Random(f"moments {seed}")
    died = [whole.killed(draw.randrange(150), [draw.randrange(40)]) for _ in range(effort(5))]
    assert any(died)
    assert verify_all(whole.place.journal, tmp_path).ok


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(1000, 1000 + effort(20)))
def test_killed_at_each_moment_and_gone_on_with(tmp_path, seed):
    """The slow form: TEST_EFFORT=50 is a thousand programs."""
    whole = Whole.of(tmp_path, program(seed, SIZE))
    draw, moment = random.Random(f"moments {seed}"), 0
    while whole.killed(moment, [draw.randrange(60) for _ in range(draw.randrange(3))]):
        moment += 1
    assert moment > SIZE
    assert verify_all(whole.place.journal, tmp_path).ok


def others(home):
    """Yield other Pythons that can run a program: those of `TEST_PYTHONS`, and of pyenv."""
    named = [Path(each) for each in os.environ.get("TEST_PYTHONS", "").split(os.pathsep) if each]
    for number, path in enumerate((*named, *sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python")))):
        asked = [path, "-c", "import sys; print(sys.version_info[:2])"]
        version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
        place = home / str(number)
        place.mkdir()
        if version != str(sys.version_info[:2]) and not process(path, "begin", place, 1, "-1").returncode:
            yield path


def environ():
    return {**os.environ, "PYTHONPATH": str(Path(rtfs_framework.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}


def process(python, what, home, seed, moment):
    words = [python, HERE / "programs.py", what, home, str(seed), str(SIZE), moment]
    return subprocess.run(words, capture_output=True, text=True, env=environ(), check=False)


@pytest.mark.slow
def test_begun_by_one_python_and_gone_on_with_by_another(tmp_path):
    pythons = list(others(tmp_path))
    if not pythons:
        pytest.skip("no other Python here can import the framework: name some in TEST_PYTHONS")
    draw = random.Random(3)
    for seed, other in enumerate(pythons, 500):
        home = tmp_path / str(seed)
        home.mkdir()
        whole = Whole.of(home, program(seed, SIZE))
        for first, then in ((sys.executable, other), (other, sys.executable)) * effort(2):
            whole.place.clear()
            moment = str(draw.randrange(10, 100))
            assert process(first, "begin", home, seed, moment).returncode == -9
            run = whole.place.latest.id
            made = process(then, run, home, seed, "-1")
            assert (made.returncode, made.stdout) == (0, whole.value), made.stderr
            whole.prove(run)
