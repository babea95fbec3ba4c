"""A partition holds all that a key of a reply holds but the arguments; there is one exactly where there is a key."""

from __future__ import annotations

import pytest

from rtfs_framework.orchestrator.remembering.reuse import Reuse

CONFIG = "[delegation.remote_providers.acme]\nprovider = 'acme'\nreuse = 'always'\n"
FUNCTION = '(defn ^:delegation :remote "acme" {name} "{doc}" [x :string] :string "own")'


def program(*calls, name="f", doc="Ask."):
    return "\n".join((FUNCTION.format(name=name, doc=doc), *calls))


@pytest.fixture
def partitions(kit, source, monkeypatch):
    """Return a function that runs a program: the key and the partition of each of its requests."""
    seen = []
    key = Reuse.key

    def noted(self, *args):
        found = key(self, *args)
        seen.append((found, self.partition(*args)))
        return found

    monkeypatch.setattr(Reuse, "key", noted)

    def run(text, config=CONFIG, **more):
        entry = kit.provider("acme", lambda _: "paid", remote=True)
        with kit.open(kit.catalog(entry, l2=True), config, **more) as session:
            session.run(source(text))
        found, seen[:] = list(seen), []
        return found

    return run


def test_arguments_are_no_part_of_it_and_part_of_the_key(partitions):
    (one, part_one), (two, part_two) = partitions(program('(f "a")', '(f "b")'))
    assert one != two
    assert part_one == part_two
    assert dict(one.parts).keys() - dict(part_one.parts).keys() == {"arguments"}
    assert part_one.namespace != one.namespace


def test_tenant_and_labels_are_always_in_it(partitions):
    ((key, part),) = partitions(program('(f "a")'))
    for each in (key, part):
        assert dict(each.parts)["tenant"] == dict(each.parts)["labels"] == ""


OTHERS = {
    "documentation": (program('(f "a")', doc="Other."), CONFIG, ""),
    "name": (program('(g "a")', name="g"), CONFIG, ""),
    "tenant": (program('(f "a")'), CONFIG, "blue"),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_else_differs_is_another_partition(partitions, other):
    text, config, tenant = other
    ((_, usual),) = partitions(program('(f "a")'))
    ((_, found),) = partitions(text, config, tenant=tenant)
    assert found != usual


def test_there_is_none_where_reuse_is_not_sound(partitions):
    ((key, part),) = partitions(program('(f "a")'), CONFIG.replace("always", "never"))
    assert key is None
    assert part is None
