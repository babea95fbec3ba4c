"""`maker` and `changer`: what they make is what the class makes, as frozen; classes that compute fields are refused."""

from __future__ import annotations

import copy
import pickle

import attrs
import pytest

from rtfs_framework.kernel.call_kind import CallKind
from rtfs_framework.kernel.outcome import HostCall, host_call
from rtfs_framework.lang.frozen import changer, maker


@attrs.frozen(slots=True, weakref_slot=False)
class Pair:
    left: int
    _right: tuple[int, ...] = (1, 2)


@attrs.frozen(slots=True, kw_only=True, weakref_slot=False)
class Named:
    name: str
    kept: str = attrs.field(default="", eq=False)


def test_what_is_made_is_what_the_class_makes():
    for made, expected in (
        (maker(Pair)(1), Pair(1)),
        (maker(Pair)(1, (3,)), Pair(1, (3,))),
        (maker(Pair)(left=1, right=(3,)), Pair(1, (3,))),
        (maker(Named)(name="a", kept="b"), Named(name="a", kept="b")),
    ):
        assert (made, repr(made), hash(made)) == (expected, repr(expected), hash(expected))
        assert type(made) is type(expected)
        assert copy.copy(made) == attrs.evolve(made) == made
        assert pickle.loads(pickle.dumps(made)) == made


def test_what_is_made_is_frozen():
    made = maker(Pair)(1)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.left = 2
    with pytest.raises(AttributeError):
        made.other = 2


def test_it_takes_what_the_class_takes():
    with pytest.raises(TypeError, match="left"):
        maker(Pair)()
    with pytest.raises(TypeError, match="positional"):
        maker(Named)("a")


def test_a_host_call_is_the_same_either_way():
    given = (CallKind.CAPABILITY, "x", (1, "two"))
    assert host_call(*given) == HostCall(*given)


@pytest.mark.parametrize(
    "field", [attrs.field(factory=list), attrs.field(default=1, converter=int), attrs.field(validator=print)]
)
def test_a_class_that_computes_its_fields_is_refused(field):
    made = attrs.make_class("Made", {"x": field}, frozen=True, slots=True, weakref_slot=False)
    with pytest.raises(TypeError, match="computes"):
        maker(made)


def test_a_class_that_takes_weak_references_is_refused():
    with pytest.raises(TypeError, match="weak references"):
        maker(attrs.make_class("Made", ["x"], frozen=True, slots=True))


def test_a_class_with_a_hook_is_refused():
    @attrs.frozen(slots=True, weakref_slot=False)
    class Hooked:
        x: int

        def __attrs_post_init__(self):
            raise AssertionError

    with pytest.raises(TypeError, match="computes"):
        maker(Hooked)


@attrs.frozen(slots=True, kw_only=True, weakref_slot=False)
class Bounded:
    share: float = attrs.field(validator=attrs.validators.le(1.0))
    source: str = ""
    at: float = 0.0


def test_what_is_changed_is_what_evolve_gives():
    change, before = changer(Bounded, "at", "source"), Bounded(share=0.5, source="a")
    made = change(before, 2.0, "b")
    assert made == attrs.evolve(before, at=2.0, source="b")
    assert type(made) is Bounded
    assert before == Bounded(share=0.5, source="a")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.at = 3.0


def test_a_field_that_is_checked_cannot_be_changed_past_its_check():
    with pytest.raises(TypeError, match="share"):
        changer(Bounded, "share")
    with pytest.raises(TypeError, match="nothing"):
        changer(Bounded, "nothing")
    with pytest.raises(TypeError, match="cannot be given"):
        changer(attrs.make_class("Made", ["x"], frozen=True, slots=True), "x")
