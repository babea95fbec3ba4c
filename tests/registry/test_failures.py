"""Whatever is wrong with a plugin: the problem names its distribution, and everything else is there."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CacheEntry, CacheLevel, CapabilityEntry, PluginError, hookimpl


def entry(name="mine"):
    return CacheEntry(name=name, summary="A cache.", level=CacheLevel.L1, factory=lambda _settings: None)


class Plugin:
    """A tiny plugin of the host's own; tests give it one hook."""

    rtfs_api_version = 2
    rtfs_distribution = "acme-tiny"
    rtfs_version = "0.7"


def test_a_broken_import_names_the_distribution_and_the_cause(install, problem):
    catalog = install("acme-broken", "acme-good")
    found = problem(catalog)
    assert found.code == "E0802"
    assert found.distributions == ("acme-broken",)
    assert "acme-broken 0.3" in found.message
    assert "No module named 'acme_missing_library' (plugin.py:3)" in found.message
    assert isinstance(found.cause, ModuleNotFoundError)
    assert list(catalog.caches) == ["acme"]


def test_a_plugin_that_exits_does_not_end_the_host(install, problem):
    catalog = install("acme-exit", "acme-good")
    assert (problem(catalog).code, problem(catalog).distributions) == ("E0802", ("acme-exit",))
    assert "acme" in catalog.caches


def test_misspelt_and_unmarked_hooks_are_named_and_the_right_one_works(install):
    catalog = install("acme-misspelt", "acme-good")
    unmarked, misspelt = sorted(catalog.problems, key=lambda each: "no hook" in each.message)
    assert {each.code for each in catalog.problems} == {"E0803"}
    assert "acme-misspelt 2.1" in misspelt.message
    assert "there is no hook `rtfs_cashes`; did you mean 'rtfs_caches'?" in misspelt.message
    assert "rtfs_providers` is not marked" in unmarked.message
    assert list(catalog.engines) == ["spelt"]
    assert list(catalog.caches) == ["acme"]


def test_another_api_version_is_refused(install, problem):
    catalog = install("acme-future", "acme-good")
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0804", ("acme-future",))
    assert "plugin API 99; this host serves 2" in found.message
    assert "upgrade rtfs-framework" in found.help
    assert "acme" in catalog.caches


def test_a_missing_api_version_is_refused(install, problem):
    catalog = install("acme-unversioned", "acme-good")
    assert problem(catalog).code == "E0804"
    assert "put `rtfs_api_version = 2` into acme_unversioned.plugin" in problem(catalog).help
    assert "acme" in catalog.caches


def test_a_duplicate_names_both_and_neither_is_preferred(install, problem):
    catalog = install("acme-double", "acme-good")
    found = problem(catalog)
    assert found.code == "E0806"
    assert found.message == "cache `acme` is offered by acme-double 2.0 and acme-good 1.0"
    assert set(found.distributions) == {"acme-double", "acme-good"}
    assert list(catalog.caches) == ["l1", "own"]
    with pytest.raises(PluginError, match=r"offered by acme-double 2\.0 and acme-good 1\.0") as raised:
        catalog.cache("acme")
    assert raised.value.code == "E0806"


def test_an_alias_that_several_want_is_nobody_s_and_told(install, problem):
    catalog = install(extra_plugins=[Reads("a.read", "old.read"), Reads("b.read", "old.read")], only="")
    assert (set(catalog.capabilities), catalog.aliases) == ({"a.read", "b.read"}, {})
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0806", ("acme-a", "acme-b"))
    assert found.message == "capability alias `old.read` is offered by acme-a 1.0 and acme-b 1.0"
    assert catalog.contested["capability alias", "old.read"] is found


def test_an_alias_that_is_another_s_id_is_told(install, problem):
    catalog = install(extra_plugins=[Reads("a.read"), Reads("b.read", "a.read")], only="")
    assert catalog.aliases == {}
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0806", ("acme-b",))
    assert found.message == "capability alias `a.read` of acme-b 1.0 is the id of a capability of acme-a 1.0"
    assert "the capability of that id gets the name" in found.help


class Reads:
    """A plug-in with one capability."""

    rtfs_api_version = 2
    rtfs_version = "1.0"

    def __init__(self, id_, *aliases):
        self.rtfs_distribution = f"acme-{id_[0]}"
        self.made = CapabilityEntry(id=id_, summary="A fake.", handler=lambda _: 1, aliases=aliases)

    @hookimpl
    def rtfs_capabilities(self):
        return [self.made]


@pytest.mark.needs("rtfs-cache-l1")
def test_a_built_in_plugin_is_preferred_to_nobody(install, problem):
    catalog = install("acme-double", only="acme-double,rtfs-cache-l1")
    assert problem(catalog).message == "cache `l1` is offered by acme-double 2.0 and rtfs-cache-l1 0.1.0"
    assert "l1" not in catalog.caches


def test_one_distribution_that_offers_a_name_twice(install, problem):
    class Twice(Plugin):
        @hookimpl
        def rtfs_caches(self):
            return [entry(), entry()]

    catalog = install(extra_plugins=[Twice()])
    assert problem(catalog).message == "cache `mine` is offered 2 times by acme-tiny 0.7"


def test_a_hook_that_raises_takes_only_its_own_records_along(install, problem):
    class Raises(Plugin):
        @hookimpl
        def rtfs_caches(self):
            yield entry()
            raise ZeroDivisionError

        @hookimpl
        def rtfs_capabilities(self):
            return [CapabilityEntry(id="mine", summary="One.", handler=print)]

    catalog = install("acme-good", extra_plugins=[Raises()])
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0805", ("acme-tiny",))
    assert "acme-tiny 0.7: `rtfs_caches` failed: ZeroDivisionError" in found.message
    assert list(catalog.caches) == ["acme"]
    assert list(catalog.capabilities) == ["mine"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "returned None"),
        (entry(), "a CacheEntry, which"),
        (["l9"], "a str, which is no CacheEntry"),
        ("l9", "a str, which is no CacheEntry"),
        ([entry(name="")], "a record whose name is ''"),
        ([entry(name=7)], "a record whose name is 7"),
    ],
)
def test_what_is_no_record_is_refused(install, answer, words):
    class Odd(Plugin):
        @hookimpl
        def rtfs_caches(self):
            return answer

    catalog = install("acme-good", extra_plugins=[Odd()])
    if isinstance(answer, CacheEntry):  # one record in place of a list of one is no riddle
        assert not catalog.problems
        assert set(catalog.caches) == {"acme", "mine"}
    else:
        assert [each.code for each in catalog.problems] == ["E0805"]
        assert words in catalog.problems[0].message
        assert list(catalog.caches) == ["acme"]


def test_good_records_beside_a_wrong_one_stay(install, problem):
    class Mixed(Plugin):
        @hookimpl
        def rtfs_caches(self):
            return [entry("one"), 3, entry("two")]

    catalog = install(extra_plugins=[Mixed()])
    assert "an int, which is no CacheEntry" in problem(catalog).message
    assert list(catalog.caches) == ["one", "two"]


def test_a_hook_that_asks_for_arguments_is_refused(install, problem):
    class Asks(Plugin):
        @hookimpl
        def rtfs_caches(self, config):
            return []

    catalog = install(extra_plugins=[Asks()])
    assert problem(catalog).code == "E0803"
    assert "hooks take no arguments" in problem(catalog).help


def test_a_plugin_cannot_wrap_another_ones_hooks(install):
    class Wraps(Plugin):
        @hookimpl(hookwrapper=True)
        def rtfs_caches(self):
            outcome = yield
            outcome.force_result([])

    assert list(install("acme-good", extra_plugins=[Wraps()]).caches) == ["acme"]


def test_two_capabilities_that_want_one_function_name(install, problem):
    class Logs(Plugin):
        @hookimpl
        def rtfs_capabilities(self):
            return [
                CapabilityEntry(id=each, summary="One.", handler=print, names=("log", f"log-{each}"))
                for each in ("ours", "theirs")
            ]

    catalog = install(extra_plugins=[Logs()])
    assert problem(catalog).message == "function name `log` is offered 2 times by acme-tiny 0.7"
    assert catalog.function_names == {"log-ours": "ours", "log-theirs": "theirs"}
    assert set(catalog.capabilities) == {"ours", "theirs"}


def test_everything_wrong_at_once_leaves_the_good_one(install):
    names = ["acme-broken", "acme-exit", "acme-future", "acme-misspelt", "acme-unversioned", "acme-good"]
    catalog = install(*names)
    assert {name for each in catalog.problems for name in each.distributions} == set(names) - {"acme-good"}
    assert list(catalog.caches) == ["acme"]
    for each in catalog.problems:
        assert each.render().startswith(f"error[{each.code}]: ")
        assert each.help
        assert each.to_json()["distributions"] == list(each.distributions)
