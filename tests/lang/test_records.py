"""Records: they look and behave as attrs' do, whichever of the two made them."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import attrs
import pytest

from rtfs_framework.lang import records
from rtfs_framework.lang.frozen import maker


def check(_record, field, value):
    if value < 0:
        raise ValueError(field.name)


def classes(module):
    """Return classes of many kinds, made by `attrs` or by `records`."""

    @module.frozen(slots=True)
    class Point:
        """A point."""

        x: int
        _y: int = 2

        def sum(self):
            return self.x + self._y

    @module.define(slots=True)
    class Bag:
        name: str
        items: list = module.field(factory=list)
        seen: int = module.field(default=0, repr=False, eq=False, validator=check)

    @module.frozen(slots=True, kw_only=True, eq=False)
    class Named:
        first: int
        second: int = 5
        third: int = module.field(init=False, default=7)

    @module.frozen(slots=True, weakref_slot=False)
    class Empty:
        pass

    @module.frozen(slots=True)
    class Longer(Point):
        z: int = 9

        def __attrs_post_init__(self):
            object.__setattr__(self, "z", self.z + 1)

    return Point, Bag, Named, Empty, Longer


OURS, THEIRS = classes(records), classes(attrs)
MAKE = (
    lambda kinds: kinds[0](1),
    lambda kinds: kinds[0](1, y=4),
    lambda kinds: kinds[1]("a"),
    lambda kinds: kinds[1]("a", [1], seen=3),
    lambda kinds: kinds[2](first=1),
    lambda kinds: kinds[3](),
    lambda kinds: kinds[4](1, 2, 3),
    lambda kinds: attrs.evolve(kinds[0](1), y=8),
    lambda kinds: records.evolve(kinds[0](1), x=8),
    lambda kinds: records.evolve(kinds[1]("a"), name="b"),
)


@pytest.mark.parametrize("make", MAKE)
def test_they_are_what_attrs_makes(make):
    our, their = make(OURS), make(THEIRS)
    assert repr(our) == repr(their)
    assert attrs.asdict(our) == attrs.asdict(their)
    assert (our == make(OURS), our == their, our != make(OURS)) == (their == make(THEIRS), False, their != make(THEIRS))
    assert type(our).__match_args__ == type(their).__match_args__
    assert type(our).__slots__ == type(their).__slots__
    assert type(our).__doc__ == type(their).__doc__
    shown = [[(f.name, f.alias, f.init, f.repr, f.eq, f.kw_only) for f in attrs.fields(type(x))] for x in (our, their)]
    assert shown[0] == shown[1]
    copied = copy.copy(our)
    assert attrs.asdict(copied) == attrs.asdict(our)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda kinds: kinds[0](),
        lambda kinds: kinds[0](1, 2, 3),
        lambda kinds: kinds[0](1, _y=3),
        lambda kinds: kinds[1]("a", seen=-1),
        lambda kinds: kinds[2](1),
        lambda kinds: kinds[2](first=1, third=1),
        lambda kinds: setattr(kinds[0](1), "x", 2),
        lambda kinds: delattr(kinds[0](1), "x"),
        lambda kinds: hash(kinds[1]("a")),
        lambda kinds: kinds[1]("a").nothing,
    ],
)
def test_they_refuse_what_attrs_refuses(wrong):
    raised = []
    for kinds in (OURS, THEIRS):
        with pytest.raises(Exception) as error:
            wrong(kinds)
        raised.append(error.type)
    assert raised[0] is raised[1]


def test_fields_may_be_set_and_records_are_keys():
    bag = OURS[1]("a")
    bag.name = "b"
    bag.items.append(1)
    assert repr(bag) == repr(THEIRS[1]("b", [1]))
    assert OURS[1]("a").items == []
    assert len({OURS[0](1), OURS[0](1), OURS[0](2), OURS[4](1)}) == 3


def test_a_class_of_attrs_may_add_fields_to_a_record():
    @attrs.frozen(slots=True)
    class Deep(OURS[0]):
        z: int = 3

    assert repr(Deep(1)).endswith("Deep(x=1, _y=2, z=3)")
    assert Deep(1).sum() == 3
    assert [each.name for each in records.fields_of(Deep)] == ["x", "_y", "z"]
    assert records.evolve(Deep(1), z=4) == Deep(1, 2, 4)


def test_the_quick_makers_take_both():
    for kinds in (OURS, THEIRS):
        assert maker(kinds[3])() == kinds[3]()
        with pytest.raises(TypeError):
            maker(kinds[1])


def test_they_can_be_pickled():
    from rtfs_framework.lang.source import Span

    assert pickle.loads(pickle.dumps(Span(1, 2))) == Span(1, 2)


def test_the_compiler_and_the_kernel_need_no_attrs():
    code = "import sys, rtfs_framework.kernel.loader as l; l.run_pure('(map inc [1 2])'); print('attr' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
