"""A process that learns until it is killed: `python killed_learner.py HOME SEED COUNT` (0: without end)."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from rtfs_framework.api import (
    DelegationPlan,
    EngineEntry,
    InferenceReply,
    Locality,
    LocalModel,
    PlanSource,
    ProviderEntry,
    ProviderUnavailable,
    Usage,
)
from rtfs_framework.orchestrator.recording.journal.feedback import Forgotten
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1", "acme")
PROGRAM = "(defn f [x] :own)\n(map f (range 25))"
CONFIG = '[delegation]\nengine = "learned"\n'
TARGETS = tuple(LocalModel(name) for name in ("one", "two"))


class Mean:
    """Keeps decayed means, whose last bits depend on the order of all outcomes."""

    def claims(self):
        return ("f",)

    def decide(self, context):
        known = context.state("one")
        first = context.draw("explore") < (0.3 if known is None else known["mean"])
        tried = {each.target for each in context.attempts}
        left = [each for each in (TARGETS if first else TARGETS[::-1]) if each not in tried]
        if not left:
            return None
        return DelegationPlan(target=left[0], reasoning="r", source=PlanSource.ENGINE, propensity=0.5, note="n")

    def initial(self):
        return {"one": {"mean": 0.5, "seconds": 0.0}}

    def fold(self, state, outcome):
        if outcome.target not in TARGETS:  # somebody rated a call of which nothing but the own body was left
            return state
        name = outcome.target.id
        before = state.get(name, {"mean": 0.5, "seconds": 0.0})
        value = outcome.success if outcome.feedback is None else outcome.feedback
        return {
            **state,
            name: {
                "mean": before["mean"] * 0.99 + 0.01 * value,
                "seconds": before["seconds"] * 0.9 + outcome.seconds * 0.1,
            },
        }


class Drawn:
    """Answers, or does not, by chance."""

    def __init__(self, chance, name):
        self.chance, self.name = chance, name

    def fingerprint(self):
        return "drawn"

    async def infer(self, request):
        if self.chance.random() < 0.3:
            raise ProviderUnavailable(self.name, "by chance")
        return InferenceReply(text="yes", model="m", usage=Usage(self.chance.randrange(99), 5))

    async def aclose(self):
        pass


def catalog(seed):
    """Return what the process is made of."""
    chance = random.Random(seed)
    entries = [
        ProviderEntry(
            name=target.id,
            summary="By chance.",
            locality=Locality.LOCAL,
            factory=lambda _, name=target.id: Drawn(chance, name),
            defaults={target.id: {}},
        )
        for target in TARGETS
    ]
    engine = EngineEntry(name="learned", summary="A mean.", factory=lambda _: Mean())
    return Catalog(providers={each.name: (each, WHO) for each in entries}, engines={"learned": (engine, WHO)})


def opened(home, seed, **options):
    """Return a session of the process's kind."""
    config = Path(home) / "delegation.toml"
    if not config.exists():
        config.write_text(CONFIG, encoding="utf-8")
    return Session.open(config_path=config, catalog=catalog(seed), environ={"RTFS_HOME": str(home)}, **options)


def main(home, seed, count):
    """Run programs, rate calls, forget now and then; say after each run that it is over."""
    chance = random.Random(seed)
    with opened(home, seed) as session:
        done = 0
        while not count or done < count:
            result = session.run(PROGRAM)
            session.rate(result.run_id, result.calls[chance.randrange(25)], chance.random())
            if chance.random() < 0.05:
                session.host.journal.queue("forgotten", None, Forgotten(engine="learned", tenant="", at=1.0))
            done += 1
            print(done, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
