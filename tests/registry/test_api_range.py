"""For which versions of the API a plug-in was written, as a number or as a range."""

from __future__ import annotations

import pytest

from rtfs_framework.api import CacheEntry, CacheLevel, hookimpl
from rtfs_framework.registry import api_range


def plugin(**said):
    class Ranged:
        rtfs_distribution = "acme-ranged"

        @hookimpl
        def rtfs_caches(self):
            return [CacheEntry(name="mine", summary="A cache.", level=CacheLevel.L1, factory=list)]

    for name, value in said.items():
        setattr(Ranged, name, value)
    return Ranged()


@pytest.mark.parametrize("said", [">=2,<3", ">=1", "<=2", "==2", " >= 2 , != 3 ", ">1,<9999", 2])
def test_a_range_that_holds_a_served_version_is_loaded(install, said):
    catalog = install(extra_plugins=[plugin(rtfs_requires_api=said)], only="")
    assert not catalog.problems
    assert list(catalog.caches) == ["mine"]


@pytest.mark.parametrize(
    ("said", "words", "way_out"),
    [
        (">=3", "was written for plugin API >=3; this host serves 2", "upgrade rtfs-framework"),
        (">=1,<2", "was written for plugin API >=1,<2; this host serves 2", "upgrade the plugin"),
        ("!=2", "was written for plugin API !=2", "upgrade the plugin"),
        (">=2,<2", "was written for plugin API >=2,<2", "upgrade the plugin"),
        ("2", "is neither a version nor a range", "rtfs_requires_api = "),
        ("", "is neither a version nor a range", "rtfs_requires_api = "),
        (">=2,", "is neither a version nor a range", "rtfs_requires_api = "),
        ("~=2", "is neither a version nor a range", "rtfs_requires_api = "),
        (">=" + "9" * 5000, "is neither a version nor a range", "rtfs_requires_api = "),
        (2.0, "is neither a version nor a range", "rtfs_requires_api = "),
        (True, "is neither a version nor a range", "rtfs_requires_api = "),
        (["2"], "is neither a version nor a range", "rtfs_requires_api = "),
    ],
)
def test_any_other_is_a_problem_and_nothing_is_loaded(install, problem, said, words, way_out):
    catalog = install(extra_plugins=[plugin(rtfs_requires_api=said)], only="")
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0804", ("acme-ranged",))
    assert words in found.message
    assert way_out in found.help
    assert len(found.message) < 300
    assert not catalog.caches


def test_the_range_goes_before_the_number(install):
    assert not install(extra_plugins=[plugin(rtfs_requires_api=">=2", rtfs_api_version=99)], only="").problems
    assert install(extra_plugins=[plugin(rtfs_requires_api=">=3", rtfs_api_version=2)], only="").problems


def test_a_host_of_several_versions_serves_whoever_was_written_for_one(monkeypatch):
    monkeypatch.setattr(api_range, "OLDEST_API_VERSION", 2)
    monkeypatch.setattr(api_range, "API_VERSION", 4)
    fitting = [said for said in (1, 2, 3, 4, 5, "<3", "==3", ">4", ">=4,<5") if api_range.fits(said)]
    assert fitting == [2, 3, 4, "<3", "==3", ">=4,<5"]
    assert [api_range.is_newer(said) for said in (1, 5, ">4", "<2", ">=1")] == [False, True, True, False, False]
    assert api_range.served() == "2 to 4"
