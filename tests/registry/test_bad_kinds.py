"""Every kind of plug-in, broken in every way: the problem has a code and names it, and the good one beside it works."""

from __future__ import annotations

import signal

import pytest

from rtfs_framework.api import CacheEntry, CacheLevel, CapabilityEntry, Locality, hookimpl
from rtfs_framework.orchestrator.config.folders import part_folder
from rtfs_framework.registry.kinds import KINDS
from rtfs_framework.registry.load import load_catalog


class Worst(BaseException):
    """Not even an Exception."""

    def __str__(self):
        raise SystemExit(7)


class Attributes:
    """A record whose every attribute raises."""

    def __getattribute__(self, name):
        raise RuntimeError(name)


def bare(kind):
    """Return a record of the right class that has its name and nothing else."""
    record = object.__new__(kind.record_class())
    object.__setattr__(record, kind.key if kind.key != "id" else "id", "mine")
    return record


def raising(error):
    def answer(_kind):
        raise error

    return answer


def half(kind):
    yield object()
    raise ZeroDivisionError


def recursing(kind):
    return recursing(kind)


FAULTS = {
    "raises": (raising(ZeroDivisionError("no")), "E0805"),
    "raises BaseException": (raising(Worst()), "E0805"),
    "exits": (raising(SystemExit(3)), "E0805"),
    "raises GeneratorExit": (raising(GeneratorExit()), "E0805"),
    "recurses": (recursing, "E0805"),
    "returns None": (lambda _: None, "E0805"),
    "returns a number": (lambda _: 7, "E0805"),
    "returns a text": (lambda _: "mine", "E0805"),
    "returns a class": (lambda kind: [kind.record_class()], "E0805"),
    "returns another record": (lambda _: [Attributes], "E0805"),
    "returns what raises": (lambda _: [Attributes()], "E0805"),
    "returns missing attributes": (lambda kind: [bare(kind)], "E0805"),
    "breaks half-way": (half, "E0805"),
    "takes arguments": (None, "E0803"),
    "is for a newer API": (None, "E0804"),
    "says no API": (None, "E0804"),
    "is no hook": (None, "E0803"),
}


COMPLETE = {
    "engine": {"factory": list},
    "provider": {"factory": list, "locality": Locality.LOCAL},
    "cache": {"factory": list, "level": CacheLevel.L1},
    "capability": {"handler": list},
    "capability set": {"factory": list},
    "guard": {"factory": list},
    "embedder": {"factory": list, "locality": Locality.LOCAL},
    "store": {"factory": list},
    "ledger": {"factory": list},
    "queue": {"factory": list},
    "executor": {"factory": list},
    "command": {"load": list},
    "observer": {"factory": list},
}


def complete(kind):
    """Return a record with which nothing is wrong."""
    return kind.record_class()(**{kind.key: "mine"}, summary="One.", **COMPLETE[kind.word])


class Good:
    """The neighbour."""

    rtfs_api_version = 2
    rtfs_distribution = "acme-good"

    @hookimpl
    def rtfs_caches(self):
        return [CacheEntry(name="good", summary="One.", level=CacheLevel.L1, factory=list)]


def broken(kind, fault):
    answer = FAULTS[fault][0]
    said = {"rtfs_api_version": 2, "rtfs_distribution": "acme-bad", "rtfs_version": "0.1"}
    if fault == "takes arguments":
        hook = hookimpl(lambda self, config: [])
    elif fault == "is no hook":
        hook = lambda self: []  # noqa: E731 - as it is: nobody marked it
    else:
        hook = hookimpl(lambda self: (answer or (lambda _: []))(kind))
    if fault == "is for a newer API":
        said["rtfs_api_version"] = 99
    if fault == "says no API":
        del said["rtfs_api_version"]
    return type("Bad", (), {**said, kind.hook: hook})()


def offered_by(hook, record):
    """Return the catalog where one plug-in offers one record."""
    said = {"rtfs_api_version": 2, "rtfs_distribution": "acme-bad", "rtfs_version": "0.1"}
    plugin = type("Bad", (), {**said, hook: hookimpl(lambda self: [record])})()
    return load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[plugin])


@pytest.mark.parametrize(
    "name", ["..", "../x", "/tmp/x", "a/b", "a\\b", "a\0", ".a", "-a", "A", "a ", "a\n", "a" * 65], ids=ascii
)
@pytest.mark.parametrize("word", ["capability set", "observer"])
def test_what_names_a_folder_leads_nowhere_else(word, name, tmp_path):
    kind = next(each for each in KINDS if each.word == word)
    catalog = offered_by(kind.hook, kind.record_class()(name=name, summary="One.", **COMPLETE[word]))
    assert not getattr(catalog, kind.table)
    assert [each.code for each in catalog.problems] == ["E0805"]
    assert "and names a folder" in catalog.problems[0].message
    with pytest.raises(ValueError, match="none of a folder"):
        part_folder({"RTFS_HOME": str(tmp_path)}, kind.table, name)


@pytest.mark.parametrize("more", [{"speaks": True}, {"ahead": list}], ids=["speaks", "ahead"])
def test_what_is_of_the_host_s_process_is_not_isolable(more):
    entry = CapabilityEntry(id="mine", summary="One.", handler=list, isolable=True, **more)
    catalog = offered_by("rtfs_capabilities", entry)
    assert not catalog.capabilities
    assert "of the host's own process alone" in catalog.problems[0].message


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table)
def test_whatever_is_wrong_is_named(kind, fault):
    catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[broken(kind, fault), Good()])
    assert [each.code for each in catalog.problems] == [FAULTS[fault][1]] * len(catalog.problems)
    assert catalog.problems
    for each in catalog.problems:
        assert each.distributions == ("acme-bad",)
        assert "acme-bad 0.1" in each.message
        assert each.help
        assert each.render().isprintable() or "\n  help: " in each.render()
    assert list(catalog.caches) == ["good"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table)
def test_what_two_offer_belongs_to_nobody_and_names_both(kind):
    def offering(who):
        record = complete(kind)
        hook = hookimpl(lambda self: [record])
        return type(who, (), {"rtfs_api_version": 2, "rtfs_distribution": who, kind.hook: hook})()

    catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[offering("acme-a"), offering("acme-b")])
    found = [each for each in catalog.problems if each.code == "E0806"]
    assert len(found) == len(catalog.problems) == 1
    assert set(found[0].distributions) == {"acme-a", "acme-b"}
    assert not getattr(catalog, kind.table)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table)
def test_whoever_ends_a_start_that_hangs_is_told_whose_hook_it_was(kind):
    def hang(self):
        signal.raise_signal(signal.SIGINT)  # what Ctrl-C does, while the hook waits for ever

    bad = type("Bad", (), {"rtfs_api_version": 2, "rtfs_distribution": "acme-bad", kind.hook: hookimpl(hang)})()
    with pytest.raises(KeyboardInterrupt, match=f"while `{kind.hook}` of `Bad` \\(acme-bad\\) was asked"):
        load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[bad, Good()])
