"""Generated programs, killed with SIGKILL wherever it matters and gone on with: the same value, nothing done twice.

`tox run -e crash-matrix` dies at every moment of a thousand programs, begun by one Python and gone on with by another
where several are installed; `-- 50` takes fifty programs, `-- 1000:12` twelve moments of each of a thousand.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import attrs
import pytest

import rtfs_framework
from rtfs_framework.orchestrator.recording.journal.verify import verify_all
from rtfs_framework.testing.effort import effort

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from places import FAILING, Place, Zygote  # noqa: E402 - the processes' own parts
from programs import RECORDS, TWICE, shape  # noqa: E402

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
SIZE = 40
"""Calls of a program, at least."""
PROGRAMS, _, MOMENTS = os.environ.get("CRASH_MATRIX", "0").partition(":")
LONG = 0.15
"""Seconds that a program takes, about."""


@attrs.define
class Whole:
    """What a program does when nobody dies, and the same program among deaths."""

    seed: int
    place: Place
    pythons: list
    draw: random.Random
    value: str = ""
    moments: int = 0
    """At how many moments it may die."""
    calls: dict = attrs.field(factory=dict)
    effects: list = attrs.field(factory=list)
    deaths: int = 0

    @classmethod
    def of(cls, pythons, home, seed):
        draw = random.Random(f"deaths {seed}")
        made = cls(seed, Place(home), draw.sample(pythons, min(2, len(pythons))), draw)
        made.value = made.does()
        made.moments = int((home / "moments.txt").read_text())
        made.calls = made.place.calls(made.place.latest.id)
        made.effects = effects_of(made.place)
        assert {ends for _, _, ends in made.calls.values()} == {1}
        assert len(made.effects) == len({arg for name, arg in made.effects if name not in FAILING}) + len(
            [name for name, _ in made.effects if name in FAILING]
        ), "the arguments of a program differ, so that effects tell of calls"
        return made

    def does(self, **order):
        """Let one of the Pythons do something; return its value, None when it died."""
        value = self.draw.choice(self.pythons).does(home=str(self.place.home), seed=self.seed, size=SIZE, **order)
        self.deaths += value is None
        return value

    def killed(self, *again, **when):
        """Kill it, and whoever goes on with it at these moments; tell whether it died at all."""
        place = self.place
        place.clear()
        before = place.latest.id
        died = self.does(**when) is None
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
        over = {args for _, args, ends in place.calls(run).values() if ends}
        begun = len(place.effects)
        value = self.does(run=run, moment=moment)
        assert value is not None or moment is not None
        if value is not None:
            self.compare(value)
        for name, _, arg in place.effects[begun:]:
            assert place.keyed(arg) not in over, f"{name} {arg} had ended, and was asked for again"

    def compare(self, value):
        """Compare a value, or those of the records that were left."""
        if shape(self.seed) == "once":
            assert value == self.value
            return
        whole, part = json.loads(self.value), json.loads(value)
        numbers = [int(each) for each in part if each != "end"]
        assert numbers == list(range(RECORDS))[RECORDS - len(numbers) :], "each once, in order, to the last"
        assert part == {name: whole[name] for name in part}
        assert ("end" in part) == ("end" in whole)

    def prove(self, run):
        """Compare what came of it with what comes of it when nobody dies."""
        place = self.place
        assert place.latest.status == "complete"
        assert place.calls(run) == self.calls, "the same calls by id, each of which ended once"
        assert effects_of(place) == self.effects
        assert not place.texts(), "what was needed to go on with it is gone"


def effects_of(place):
    """Return the effects, of what may be had twice one for each key."""
    twice = {name for name, fine in TWICE.items() if fine} | set(FAILING)
    keyed = {each for each in place.effects if each[0] in twice}
    others = [each for each in place.effects if each[0] not in twice]
    return sorted((name, arg) for name, _, arg in (*keyed, *others))


@pytest.fixture(scope="module")
def here():
    """This Python."""
    with Zygote() as zygote:
        yield [zygote]


@pytest.fixture(scope="module")
def pythons(here):
    """This Python, and others that can import the framework: those of `TEST_PYTHONS`, and of pyenv."""
    named = [Path(each) for each in os.environ.get("TEST_PYTHONS", "").split(os.pathsep) if each]
    environ = {**os.environ, "PYTHONPATH": str(Path(rtfs_framework.__file__).parents[1])}
    seen = {sys.version_info[:2]}
    with ExitStack() as held:
        found = list(here)
        for path in (*named, *sorted((Path.home() / ".pyenv" / "versions").glob("3.*/bin/python"))):
            version = version_of(path, environ)
            if version and version not in seen:
                seen.add(version)
                found.append(held.enter_context(Zygote(str(path), environ)))
        yield found


def version_of(path, environ):
    """Return the version of a Python that can run programs, None where it cannot."""
    asked = [path, "-c", "import sys, rtfs_framework.orchestrator.session as _; print(*sys.version_info[:2])"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, env=environ)
    except OSError:
        return None
    return None if done.returncode else tuple(map(int, done.stdout.split()))


@pytest.mark.parametrize("seed", [0, 2, 3], ids=["once", "fold", "stream"])
def test_killed_at_some_moments_and_gone_on_with(tmp_path, here, seed):
    whole = Whole.of(here, tmp_path, seed)
    for _ in range(effort(2)):
        whole.killed(whole.draw.randrange(40), moment=whole.draw.randrange(whole.moments))
    assert whole.deaths
    assert verify_all(whole.place.journal, tmp_path).ok


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif("CRASH_MATRIX" not in os.environ, reason="`tox run -e crash-matrix`")
@pytest.mark.parametrize("seed", range(1000, 1000 + int(PROGRAMS)))
def test_the_matrix(tmp_path, pythons, seed, record_property):
    """Killed at moments, again as it is gone on with, and from outside between two moments."""
    whole = Whole.of(pythons, tmp_path, seed)
    draw = whole.draw
    every = range(whole.moments)
    for moment in draw.sample(every, min(int(MOMENTS), len(every))) if MOMENTS else every:
        whole.killed(*(draw.randrange(60) for _ in range(draw.randrange(3))), moment=moment)
        if moment % 5 == 0:
            whole.killed(draw.randrange(60), seconds=draw.random() * LONG)
    assert whole.deaths
    assert verify_all(whole.place.journal, tmp_path).ok
    record_property("deaths", whole.deaths)
    record_property("pythons", len(pythons))
