"""Experience: past contexts of calls, the plans that were made in them, and what came of these. What layers of L3 keep.

A layer learns as engines do: `fold` is a pure function of its state and one more outcome, in the order of the causal
chain. The host keeps the state (per layer, settings and tenant), publishes it in versions, and folds it again where it
must know what was known then. So the layer owns no clock and no file, and a decision that rests on experience can be
repeated. `nearest` is pure, too: the host hands it what it may see, which is of the same tenant and the same labels.

The methods of `CacheLayer` are what people see of it by `rtfs cache`: the host puts there what is published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from rtfs_framework.api.cache import CacheLayer
from rtfs_framework.api.targets import ExecTarget

if TYPE_CHECKING:
    from rtfs_framework.api.learning import Outcome, State

FORM = 1
"""The version of what `Situation.to_json` writes."""
MOST_TEXT = 400
"""Characters of `Situation.text`."""
MOST_EXPERIENCES = 64
"""Of one read."""

Facts = tuple[tuple[str, str], ...]
"""Names and values, sorted by name."""


@attrs.frozen(slots=True, kw_only=True)
class Situation:
    """The context of a call, as far as it is kept: whose it was and of which kind. Never its arguments."""

    symbol: str
    """The function's qualified name."""
    text: str = ""
    """What the function says of itself: its name and documentation, in words."""
    signature: str = ""
    """Its declared types, such as "text :string -> :bool"."""
    types: tuple[str, ...] = ()
    """The arguments' types, as `CallContext.types` tells them."""
    user: str = ""
    """For whom the host works: `CallContext.agent`."""
    environment: Facts = ()
    constraints: Facts = ()
    time_class: str = ""
    intent: str = ""
    """A keyed digest of the fact "intent" of the caller's metadata; "" where there is none."""
    labels: tuple[str, ...] = ()
    """The marks of the request, sorted. Experience is never seen across them."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready data, without what says nothing; `of_json` reads it back."""
        told = attrs.asdict(self)
        plain = {name: [list(each) if name in _FACTS else each for each in told[name]] for name in _LISTS if told[name]}
        return {"form": FORM, **{name: told[name] for name in _TEXTS if told[name]}, **plain}

    @classmethod
    def of_json(cls, data: object) -> Situation:
        """Return what `to_json` wrote.

        Raises:
            ValueError: It is no such thing, or of another form.
        """
        if not isinstance(data, Mapping) or data.get("form") != FORM or not data.get("symbol"):
            raise ValueError("this is no situation, or one of another form")
        found: dict[str, Any] = {name: data.get(name, "") for name in _TEXTS}
        if not all(isinstance(text, str) for text in found.values()):
            raise ValueError("a text of a situation is none")
        for name in _LISTS:
            found[name] = _read(data.get(name, []), pairs=name in _FACTS)
        return cls(**found)


_TEXTS = ("symbol", "text", "signature", "user", "time_class", "intent")
_FACTS = ("environment", "constraints")
_LISTS = ("types", "labels", *_FACTS)


def _read(listed: object, *, pairs: bool) -> tuple[Any, ...]:
    if isinstance(listed, list) and not pairs and all(isinstance(each, str) for each in listed):
        return tuple(listed)
    if isinstance(listed, list) and pairs and all(isinstance(each, list) and _is_pair(each) for each in listed):
        return tuple(map(tuple, listed))
    raise ValueError("a list of a situation is none, or holds what is no text")


def _is_pair(found: list[Any]) -> bool:
    return [type(each) for each in found] == [str, str]


@attrs.frozen(slots=True, kw_only=True)
class PlanOutcomes:
    """What came of the calls that one target was asked in a situation. Old ones may count less than new ones."""

    target: ExecTarget
    count: float = 0.0
    """Attempts, as far as they count."""
    successes: float = 0.0
    answered: float = 0.0
    """Attempts that something came back of, whether it was of use or not."""
    seconds: float | None = None
    """How long one took: the mean of log(1 + seconds), turned back. None where nobody measured."""
    cost: float | None = None
    """The mean in US dollars; None where it is not known."""
    feedback: float | None = None
    """The mean of what was said of answers, within 0 and 1; None without any."""
    rated: float = 0.0
    """How often something was said, as far as it counts."""


@attrs.frozen(slots=True, kw_only=True)
class Experience:
    """A situation of the past, and what came of the plans in it."""

    situation: Situation
    plans: tuple[PlanOutcomes, ...]
    at: float = 0.0
    """When its latest outcome was noted: seconds since the epoch."""
    until: float | None = None
    """When it is forgotten; None for never."""
    nearness: float = 1.0
    """How near it is to the situation that was asked about, within 0 and 1; 1 is the same one."""


@attrs.frozen(slots=True, kw_only=True)
class ExperienceQuestion:
    """What a layer is asked about."""

    situation: Situation
    most: int
    """How many experiences are wanted."""
    vector: Callable[[str], Sequence[float] | None] | None = None
    """Gives the vector of a function's text, by the configured embedder; None where it fails. None for no embedder."""


class ExperienceLayer(CacheLayer, Protocol):
    """Layers of level L3. `initial`, `fold`, `read` and `nearest` are pure."""

    def initial(self) -> State:
        """Return the state before anything was learned: a cell for each situation."""
        ...

    def fold(self, state: State, outcome: Outcome) -> State:
        """Return the state after one more outcome.

        Must leave `state` as it is. Outcomes without a `situation` are of older journals, and teach it nothing.
        """
        ...

    def read(self, cell: Any) -> Experience:
        """Return the experience that a cell of the state holds.

        Raises:
            ValueError: It holds none.
        """
        ...

    def nearest(self, known: Sequence[Experience], question: ExperienceQuestion) -> Sequence[Experience]:
        """Return the known experiences that are nearest to a situation, the nearest first, with their `nearness`."""
        ...


def is_experience(found: Any) -> bool:
    """Tell whether a layer's answer is an experience that can be read: the host looks at each."""
    if not isinstance(found, Experience):
        return False
    near: Any = found.nearness
    said: tuple[Any, ...] = (found.situation, *found.plans)
    kinds = (Situation, *(PlanOutcomes for _ in found.plans))
    return isinstance(near, int | float) and 0.0 <= near <= 1.0 and all(map(isinstance, said, kinds))
