"""Texts that somebody puts so that they lie near another's request, to have their answer served for it."""

from __future__ import annotations

import random

import attrs
import numpy as np
import pytest

from rtfs_cache_similar.deciding import Decider, DeciderSettings, Look, Near
from rtfs_framework.api import Served

ATTEMPTS, LOOKS = 100, 2_000
THINGS = ("tea", "rice", "soap", "wool", "clay", "salt", "jazz", "basil", "moss", "tin", "zinc", "silk", "hemp", "rye")
ASKED = tuple(f"topic{place}/Where does the {each} in this shop come from?" for place, each in enumerate(THINGS))
AGAIN = tuple(f"topic{place}/Where does the {each} in that shop come from?" for place, each in enumerate(THINGS))


@pytest.fixture
def trusted(opened, question):
    """Return a layer that is sure of one tenant's requests, after `LOOKS` of them, of which half are new each time."""
    decider, chance = Decider(DeciderSettings(false_hits=0.01)), random.Random(7)
    kept = {text: _named(question, text, "p") for text in ASKED}
    partition = kept[ASKED[0]].partition.digest
    for place in range(LOOKS):
        known = place % len(AGAIN)
        look = Look(_named(question, AGAIN[known], "p").text if place % 2 else f"What is {place}?")
        near = Near("e", kept[ASKED[known]].text, 0.97 if place % 2 else 0.3)
        if decider.decide(partition, look, [near], draw=chance.random()).served is Served.EXPLORE:
            decider.judged(partition, look, near, same=True)
    layer = opened(decider=decider)
    for text, asked in kept.items():
        layer.put(asked, f"right: {text}")
    return layer


def _named(question, text, partition):
    """Return a question of a text behind its topic, whose vector is that of the topic."""
    made = question(text, partition)
    return attrs.evolve(made, text=text.partition("/")[2])


def _near(vector, generator):
    made = np.asarray(vector) + 0.02 * generator.normal(size=len(vector))
    return tuple((made / np.linalg.norm(made)).tolist())


def test_of_a_hundred_poisoned_entries_few_are_served_within_a_tenant_and_none_to_another(trusted, question) -> None:
    """Each lies nearer to its target than what is there, passes the gates, and answers it wrongly."""
    chance, generator = random.Random(11), np.random.default_rng(11)
    wrong, elsewhere = 0, []
    for attempt in range(ATTEMPTS):
        place = attempt % len(AGAIN)
        target = attrs.evolve(_named(question, AGAIN[place], "p"), draw=chance.random())
        vector = _near(target.vector, generator)
        text = target.text.replace("come from", f"really come from{' now' * (attempt % 7)}")
        poison = attrs.evolve(_named(question, f"x/{attempt}", "p"), text=text, vector=vector)
        trusted.put(poison, f"wrong {attempt}")
        asks = attrs.evolve(_named(question, AGAIN[place], "q"), vector=vector)
        elsewhere.append(trusted.ask(asks).served)
        verdict = trusted.ask(attrs.evolve(target, vector=vector))
        poisoned = verdict.record is not None and verdict.record.value.startswith("wrong")
        wrong += verdict.served is Served.HIT and poisoned
        if verdict.served is Served.EXPLORE:
            trusted.judged(target, verdict, same=not poisoned)
    assert set(elsewhere) == {Served.MISS}
    assert wrong > 0
    assert wrong <= 0.01 * (LOOKS + ATTEMPTS)
