"""What is found, what `RTFS_PLUGINS` lets in, and what asking the catalog for a name says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rtfs_framework.api import PluginError
from rtfs_framework.registry import Catalog, Provenance, load_catalog


def test_an_installed_plugin_is_found_with_its_provenance(install):
    catalog = install("acme-good")
    entry, provenance = catalog.caches["acme"]
    assert entry is catalog.cache("acme")
    assert provenance == Provenance("acme-good", "1.0", "acme_good.plugin")
    assert str(provenance) == "acme-good 1.0"
    assert catalog.plugins == (provenance,)
    assert not catalog.problems


@pytest.mark.parametrize("wanted", ["good", "acme-good", "ACME_good", " good , "])
def test_plugins_are_chosen_by_entry_point_or_distribution(install, wanted):
    catalog = install("acme-good", "acme-double", only=wanted)
    assert list(catalog.caches) == ["acme"]
    assert not catalog.problems


@pytest.mark.parametrize("wanted", ["", " ", ","])
def test_an_empty_choice_loads_none(install, wanted):
    catalog = install("acme-good", "acme-broken", only=wanted)
    assert catalog.plugins == ()
    assert not catalog.problems


def test_without_the_variable_everything_installed_is_loaded(install):
    install("acme-good")
    assert "acme" in load_catalog({}).caches


def test_a_plugin_left_out_is_not_even_imported(install):
    install("acme-broken", "acme-good", only="good")
    assert "acme_good.plugin" in sys.modules
    assert "acme_broken" not in sys.modules


def test_a_wrong_name_in_the_choice_is_a_problem_with_a_suggestion(install, problem):
    catalog = install("acme-good", only="acme-god,acme-good")
    found = problem(catalog)
    assert found.code == "E0807"
    assert found.message == "RTFS_PLUGINS names `acme-god`, which is not installed; did you mean 'acme-good'?"
    assert "acme" in catalog.caches


def test_the_host_brings_plugins_that_the_choice_does_not_concern(install):
    class Own:
        rtfs_api_version = 2

    catalog = install("acme-good", only="", extra_plugins=[Own()])
    assert catalog.plugins == (Provenance("rtfs-framework", "", "Own"),)


def test_an_unknown_name_gets_a_suggestion_and_the_known_ones(install):
    catalog = install("acme-good", "acme-double", "acme-misspelt", only="good,misspelt")
    with pytest.raises(PluginError) as raised:
        catalog.cache("acne")
    assert raised.value.code == "E0808"
    message = str(raised.value)
    assert "no cache is called `acne`; did you mean 'acme'?" in message
    assert "known: acme" in message
    assert "RTFS_PLUGINS leaves out" in message
    assert "plugins with problems: 2 (see `rtfs plugins`)" in message


@pytest.mark.parametrize("kind", ["engine", "provider", "cache", "capability", "command", "observer"])
def test_an_empty_catalog_knows_no_name_of_any_kind(kind):
    with pytest.raises(PluginError, match=f"no {kind} is called `x`\n  help: no loaded plugin offers any {kind}"):
        getattr(Catalog(), kind)("x")


def test_the_order_does_not_depend_on_the_path(install):
    first = install("acme-good", "acme-misspelt")
    second = install("acme-misspelt", "acme-good")
    assert first.plugins == second.plugins


def test_damaged_metadata_does_not_hide_the_plugin(tmp_path, monkeypatch):
    (tmp_path / "acme_bare.py").write_text("rtfs_api_version = 2\n")
    info = tmp_path / "acme_bare-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[rtfs_framework]\nbare = acme_bare\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    catalog = load_catalog({"RTFS_PLUGINS": "bare"})
    assert [each.distribution for each in catalog.plugins] == ["acme_bare"]
    assert not catalog.problems


def test_loading_imports_nothing_heavy():
    heavy = "asyncio anyio sqlite3 click rich openai cachetools vaderSentiment structlog lark greenlet"
    program = (
        "import sys; from rtfs_framework.registry import load_catalog; found = load_catalog();"
        f"print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_data_is_found_by_its_own_group_and_loaded_only_where_it_is_needed(install):
    catalog = install("acme-prices", "acme-good")
    assert catalog.prices is catalog.data["prices"]
    assert str(catalog.prices.provenance) == "acme-prices 1.0"
    assert not catalog.problems
    assert "acme_prices.plugin" not in sys.modules
    assert catalog.prices.load().price_list(None).find("", "one", None).input == 1.0


def test_data_can_be_left_out(install):
    catalog = install("acme-prices", "acme-good", only="acme-good")
    assert (catalog.prices, list(catalog.caches)) == (None, ["acme"])


def test_of_two_lists_of_prices_neither_counts(install, monkeypatch, tmp_path, problem):
    info = tmp_path / "acme_others-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-others\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[rtfs_framework_data]\nprices = acme_others\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    catalog = install("acme-prices", only="acme-prices,acme-others")
    assert catalog.prices is None
    assert "data `prices` is offered by acme-others 2.0 and acme-prices 1.0" in problem(catalog).message
