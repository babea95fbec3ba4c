"""What plug-ins declare that they need: read before anything is imported, and refused where it is not allowed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import pytest

from rtfs_framework.orchestrator.config.permitted import permitted
from rtfs_framework.orchestrator.config.tables.plugins import Permission
from rtfs_framework.registry import load_catalog
from rtfs_framework.registry.permissions import EVERYTHING, PERMISSIONS, Allowed

FAKES = Path(__file__).with_name("fakes")
FILES = frozenset({"files"})


@pytest.fixture
def load(monkeypatch):
    """Return a function that loads fake distributions alone, as something allows."""

    def loaded(*names, allowed):
        for name in names:
            monkeypatch.syspath_prepend(str(FAKES / name))
        return load_catalog({"RTFS_PLUGINS": ",".join(names)}, allowed=allowed)

    yield loaded
    for module in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[module]


def test_the_words_of_a_configuration_are_those_that_are_known():
    assert set(get_args(Permission)) == set(PERMISSIONS)


def test_everything_is_allowed_unless_something_is_said(install):
    catalog = install("acme-hungry", "acme-modest", "acme-good")
    assert not catalog.problems
    declared = {who.distribution: words for who, words in catalog.declared.items()}
    assert declared == {"acme-hungry": ("files", "network"), "acme-modest": ("none",), "acme-good": None}


def test_what_needs_more_than_it_may_have_is_not_even_imported(load, problem):
    catalog = load("acme-hungry", "acme-modest", "acme-good", allowed=Allowed(FILES))
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0813", ("acme-hungry",))
    assert "acme-hungry 1.0: needs network, which the configuration does not allow it" in found.message
    assert 'acme-hungry = ["files", "network"]` under [plugins.grant]' in found.help
    assert set(catalog.caches) == {"modest", "acme"}
    assert "acme_hungry" not in sys.modules
    assert {who.distribution for who in catalog.plugins} == {"acme-hungry", "acme-modest", "acme-good"}


@pytest.mark.parametrize("spelled", ["acme-hungry", "Acme_Hungry", "ACME.hungry"])
def test_a_grant_is_for_one_distribution_however_it_is_spelled(load, spelled):
    from rtfs_framework.registry.permissions import normal

    grants = {normal(spelled): frozenset({"files", "network"})}
    assert not load("acme-hungry", allowed=Allowed(frozenset(), grants)).problems


def test_a_grant_may_also_be_less_than_everybody_has(load, problem):
    catalog = load("acme-hungry", allowed=Allowed(frozenset(PERMISSIONS), {"acme-hungry": FILES}))
    assert problem(catalog).code == "E0813"


def test_a_permission_that_nobody_knows_can_be_granted_by_nobody(install, problem):
    catalog = install("acme-odd", "acme-good")
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0814", ("acme-odd",))
    assert "the permission `netwrok`, which is none; did you mean 'network'?" in found.message
    assert list(catalog.caches) == ["acme"]
    assert "acme_odd" not in sys.modules


SAID = Allowed(EVERYTHING, {"acme-hungry": FILES}, said=True)


def test_what_declares_nothing_is_refused_where_something_is_said(load, problem):
    """It would be allowed more than whoever says what it needs."""
    catalog = load("acme-good", "acme-modest", allowed=SAID)
    found = problem(catalog)
    assert (found.code, found.distributions) == ("E0813", ("acme-good",))
    assert "acme-good 1.0: declares nothing, so it may need anything. It is not loaded" in found.message
    assert 'acme-good = ["network", "files", "models", "subprocess"]` under [plugins.grant]' in found.help
    assert list(catalog.caches) == ["modest"]
    assert "acme_good" not in sys.modules


@pytest.mark.parametrize(("words", "count"), [(FILES, 0), (frozenset(), 1)])
def test_unless_a_grant_names_it_and_gives_it_something(load, words, count):
    assert len(load("acme-good", allowed=Allowed(FILES, {"acme-good": words}, said=True)).problems) == count


def test_so_is_data_that_declares_nothing(load, problem):
    assert problem(load("acme-prices", allowed=SAID)).code == "E0813"


def test_what_the_host_brings_along_needs_no_grant():
    class Own:
        rtfs_api_version = 2
        rtfs_distribution = "somebody"

    assert not load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[Own()], allowed=SAID).problems


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", False),
        ("[plugins]\n", False),
        ("[plugins.grant]\n", False),
        ("[plugins]\nallow = []\n", True),
        ("[plugins]\nallow = 7\n", True),
        ("[plugins.grant]\nacme = ['files']\n", True),
        ("plugins = 7\n", True),
    ],
)
def test_what_counts_as_something_said(tmp_path, text, said):
    (tmp_path / "delegation.toml").write_text(text, encoding="utf-8")
    assert permitted({"RTFS_HOME": str(tmp_path)}).said is said


def test_what_the_host_brings_along_declares_nothing_and_is_there(install):
    class Own:
        rtfs_api_version = 2

    assert not install(extra_plugins=[Own()], only="").problems
