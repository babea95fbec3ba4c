"""Contexts made by rules: a function, targets some of which are ruled out by what is stated, and which one fits best.

In: `domains.toml`, a part ("fitting" or "held out") and a seed. Out: contexts, the same each time. The parts share no
symbol and no wording, neither of documentations nor of descriptions. In every context at least two targets are allowed,
exactly one of which is made for the function's domain. Among those that are ruled out one may be made for it, too:
whoever chooses by fit alone falls for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

import attrs

from rtfs_framework.api import Candidate, ExecTarget, FunctionSignature, LocalModel, RemoteModel
from rtfs_framework.api.signals import Price

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Part = Literal["fitting", "held out"]
DATA = Path(__file__).with_name("domains.toml")
_OUTSIDE = ("labels", "cost", "quality", "window")
"""What may rule a target out."""
_NEUTRAL = "model of medium size"
DRAWS = 3
"""Of targets, for each documentation."""
MOST_COST, LEAST_QUALITY, TOKENS = 5.0, 0.5, 1_000


@attrs.frozen(slots=True, kw_only=True)
class Context:
    """One decision, and its right answer."""

    function: FunctionSignature
    request: str
    candidates: tuple[Candidate, ...]
    prices: Mapping[ExecTarget, Price]
    labels: frozenset[str]
    allowed: tuple[ExecTarget, ...]
    right: ExecTarget


def contexts(part: Part, seed: int = 7) -> Iterator[Context]:
    """Yield the contexts of a part: each documentation with several draws of the targets."""
    domains: Mapping[str, Mapping[str, Sequence[str]]] = tomllib.loads(DATA.read_text(encoding="utf-8"))
    parts = {name: {key: _of(part, texts) for key, texts in domain.items()} for name, domain in domains.items()}
    drawn = Random(f"{seed} {part}")
    for name, domain in parts.items():
        for place, doc in enumerate(domain["docs"]):
            for _ in range(DRAWS):
                symbol = domain["symbols"][place % len(domain["symbols"])]
                yield _context(drawn, parts, name, symbol, doc)


def _of(part: Part, texts: Sequence[str]) -> Sequence[str]:
    half = len(texts) // 2
    return texts[:half] if part == "fitting" else texts[half:]


def _context(drawn: Random, parts: Mapping[str, Any], name: str, symbol: str, doc: str) -> Context:
    others = [each for each in parts if each != name]
    labels = frozenset({"pii"}) if drawn.random() < 0.5 else frozenset[str]()
    allowed = [name, *drawn.sample(others, drawn.randint(1, 4))]
    out = [*drawn.sample(others, drawn.randint(0, 2)), *([name] if drawn.random() < 0.5 else [])]
    wanted: list[tuple[str, str | None, bool]] = [(domain, None, domain == name) for domain in allowed]
    wanted += [(domain, drawn.choice(_OUTSIDE), False) for domain in out]
    drawn.shuffle(wanted)  # before they are named: a name tells nothing
    made = [
        (*_target(drawn, parts[domain]["descriptions"], place, labels, outside), outside is None, right)
        for place, (domain, outside, right) in enumerate(wanted)
    ]
    return Context(
        function=FunctionSignature(name=symbol, doc=doc),
        request="word " * (TOKENS * 4 // 5),
        candidates=tuple(each for each, _, _, _ in made),
        prices={each.target: price for each, price, _, _ in made},
        labels=labels,
        allowed=tuple(each.target for each, _, fits, _ in made if fits),
        right=next(each.target for each, _, _, right in made if right),
    )


def _target(
    drawn: Random, descriptions: Sequence[str], place: int, labels: frozenset[str], outside: str | None
) -> tuple[Candidate, Price]:
    """Return a target that keeps all bounds, or breaks the one that is named."""
    if outside == "labels" and not labels:
        outside = "cost"
    name = f"m{place}"
    local = drawn.random() < 0.5 and outside != "cost"
    cost = 0.0 if local else round(drawn.uniform(0.1, MOST_COST), 2)
    candidate = Candidate(
        LocalModel(name) if local else RemoteModel(name),
        "p",
        model=_NEUTRAL,
        quality=round(drawn.uniform(LEAST_QUALITY, 1.0), 2),
        context_window=drawn.choice((None, 8_192, 131_072)),
        accepts=drawn.choice((None, frozenset({"pii"}))),
        description=drawn.choice(descriptions),
    )
    match outside:
        case "labels":
            candidate = attrs.evolve(candidate, accepts=frozenset())
        case "cost":
            cost = round(drawn.uniform(MOST_COST + 1, 60.0), 2)
        case "quality":
            candidate = attrs.evolve(candidate, quality=round(drawn.uniform(0.0, LEAST_QUALITY - 0.1), 2))
        case "window":
            candidate = attrs.evolve(candidate, context_window=512)
        case _:
            pass
    return candidate, Price(cost, cost)
