"""delegation.toml: every mistake has its code, place and way out; where the file is found; what holds without."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ConfigError, LocalModel, LocalPure, RemoteModel
from rtfs_framework.orchestrator.config.find import any_file, found_file
from rtfs_framework.orchestrator.config.security import Reach, SecurityLevel


@pytest.fixture
def catalog(kit, remote_settings, fake_engine):
    return kit.catalog(
        kit.provider("openai", lambda _: "o", remote=True, settings=remote_settings),
        kit.provider("rules", lambda _: "r", defaults={"sentiment": {}}),
        engine=fake_engine(),
        l1=True,
    )


WRONG = [
    ("[delegatoin]\n", "E0702", 1, 2, "did you mean 'delegation'?"),
    ("[delegation]\ndefault_traget = 'local-pure'\n", "E0702", 2, 1, "did you mean 'default_target'?"),
    ("[delegation]\ndefault_target = 5\n", "E0703", 2, 18, None),
    ("[delegation]\ndefault_target = 'local-x'\n", "E0706", 2, 18, "did you mean 'local-pure'?"),
    ("[delegation]\ndefault_target = 'remote-opnai'\n", "E0706", 2, 18, "did you mean 'remote-openai'?"),
    ("[delegation]\ndefault_target = 'somewhere'\n", "E0706", 2, 18, "local-<model>"),
    ("[delegation]\ncache_ttl = 'long'\n", "E0703", 2, 13, None),
    ("[delegation]\ncache_ttl = 0\n", "E0705", 2, 13, None),
    ("[delegation]\nconcurrency = 0\n", "E0705", 2, 15, None),
    ("[delegation]\nconcurrency = 1.5\n", "E0703", 2, 15, None),
    ("[delegation]\nengine = 'statik'\n", "E0706", 2, 10, "did you mean 'static'?"),
    ("[delegation.static_routes]\n'ai-*' = 'remote-openia'\n", "E0706", 2, 10, "did you mean 'remote-openai'?"),
    ("[delegation.static_routes]\nf = ['local-pure', 'local-sentimnt']\n", "E0706", 2, 20, "did you mean"),
    ("[delegation.static_routes]\nf = 1\n", "E0703", 2, 5, None),
    ("[delegation.remote_providers.x]\nprovider = 'opnai'\n", "E0706", 2, 12, "did you mean 'openai'?"),
    ("[delegation.remote_providers.x]\ntimeuot = 5\n", "E0702", 2, 1, "did you mean 'timeout'?"),
    ("[delegation.remote_providers.x]\nendpiont = 'u'\n", "E0702", 2, 1, "did you mean 'endpoint'?"),
    ("[delegation.remote_providers.x]\ndepth = 'deep'\n", "E0703", 2, 9, None),
    ("[delegation.remote_providers.x]\ntimeout = '5 x'\n", "E0703", 2, 11, None),
    ("[delegation.remote_providers.x]\ntimeout = 0\n", "E0705", 2, 11, None),
    ("[delegation.remote_providers.x]\nreuse = 'sometimes'\n", "E0705", 2, 9, None),
    ("[delegation.remote_providers.x]\ninput_cost = -1.0\n", "E0705", 2, 14, None),
    ("[delegation.remote_providers.x]\nmax_retries = 2\n", "E0702", 2, 1, "[delegation] attempts"),
    ("[delegation.remote_providers.x]\nquality = 1.5\n", "E0705", 2, 11, None),
    ("[delegation.remote_providers.x]\nidempotent = 'yes'\n", "E0703", 2, 14, None),
    ("[delegation]\nattempts = 0\n", "E0705", 2, 12, None),
    ("[delegation]\nattempts = 9\n", "E0705", 2, 12, None),
    ("[delegation]\nquality_floor = -0.1\n", "E0705", 2, 17, None),
    ("[delegation]\nmin_confidence = 'high'\n", "E0703", 2, 18, None),
    ("[delegation]\non_exhausted = 'own'\n", "E0705", 2, 16, "one of"),
    ("[delegation.local_models.phi]\ntimeout = 5\n", "E0704", 1, 26, "add provider"),
    ("[delegation.local_models.pure]\nprovider = 'rules'\n", "E0706", 1, 26, "another id"),
    ("[caches.l7]\n", "E0706", 1, 9, "installed: l1"),
    ("[caches.l1]\nenabeld = true\n", "E0702", 2, 1, "did you mean 'enabled'?"),
    ("[caches.l1]\nenabled = 'yes'\n", "E0703", 2, 11, None),
    ("[engines.other]\n", "E0706", 1, 10, "installed: static"),
    ("[engines.static]\nspeed = 9\n", "E0702", 2, 1, "known keys: plugin"),
    ("[security]\ngrant = 'all'\n", "E0703", 2, 9, None),
    ("[security]\nlevel = 'contolled'\n", "E0705", 2, 9, "did you mean 'controlled'?"),
    ("[security]\nreach = 'far'\n", "E0705", 2, 9, None),
    ("[journal]\npath = 5\n", "E0703", 2, 8, None),
    ("[journal]\nkeep_args = true\n", "E0702", 2, 1, "keep"),
    ("[prices.m]\ninput = -1.0\n", "E0705", 2, 9, None),
    ("[prices.m]\ninput = inf\n", "E0705", 2, 9, None),
    ("[prices.m]\ncontext = 0\n", "E0705", 2, 11, None),
    ("[prices.m]\noutpt = 1\n", "E0702", 2, 1, "did you mean 'output'?"),
    ("[prices.m]\ncached = 'free'\n", "E0703", 2, 10, None),
    ("[prices]\nm = 3\n", "E0703", 2, 5, None),
    ("[delegation\n", "E0701", 1, 12, None),
]


@pytest.mark.parametrize(("text", "code", "line", "column", "way_out"), WRONG)
def test_a_mistake_has_its_code_place_and_way_out(kit, catalog, text, code, line, column, way_out):
    with pytest.raises(ConfigError) as caught:
        kit.open(catalog, text)
    found = caught.value.diagnostics[0]
    assert (found.code, found.place.line, found.place.column) == (code, line, column), found.render()
    assert found.place.source.endswith("delegation.toml")
    assert "^" in found.render()
    if way_out is not None:
        assert way_out in (found.help or "")


def test_all_mistakes_are_told_in_the_order_of_the_file(kit, catalog):
    with pytest.raises(ConfigError) as caught:
        kit.open(
            catalog,
            "[delegation]\nengine = 'x'\ndefault_target = 'y'\n[caches.z]\n[delegation.static_routes]\na = 'b'\n",
        )
    assert [mistake.place.line for mistake in caught.value.diagnostics] == [2, 3, 4, 6]


def test_a_missing_file_that_was_asked_for_is_an_error(kit, catalog):
    with pytest.raises(ConfigError, match="E0700"):
        kit.open(catalog, kit.home / "nowhere.toml")


def test_bytes_that_are_no_text_are_an_error_with_a_place(kit, catalog):
    path = kit.home / "delegation.toml"
    path.write_bytes(b"[delegation]\nengine = '\xff'\n")
    with pytest.raises(ConfigError) as caught:
        kit.open(catalog, path)
    assert (caught.value.diagnostics[0].place.line, caught.value.diagnostics[0].place.column) == (2, 11)


FULL = """
[delegation]
default_target = "local-pure"
cache_ttl = 60
engine = "static"
concurrency = 4
[delegation.static_routes]
"ai-*" = ["remote-main", "local-sentiment"]
"math-*" = "local-pure"
[delegation.remote_providers.main]
endpoint = "http://127.0.0.1:1/v1"
model = "small"
timeout = 2500
api_key_env = "MAIN_KEY"
input_cost = 1.5
output_cost = 6
[delegation.local_models.words]
provider = "rules"
reuse = "never"
[caches.l1]
enabled = false
[security]
level = "full"
grant = ["fs.*"]
deny = ["net.*"]
reach = "local"
context = { user = "Ada", tags = ["a", 1] }
[journal]
path = "chain.sqlite"
keep = "replies"
"""


def test_everything_published_is_read(kit, catalog):
    with kit.open(catalog, FULL) as session:
        config = session.host.config
    specs = {spec.id: spec for spec in config.providers}
    assert config.routes == {"ai-*": (RemoteModel("main"), LocalModel("sentiment")), "math-*": (LocalPure(),)}
    assert (config.cache_ttl, config.concurrency, config.engine.name) == (60.0, 4, "static")
    assert list(specs) == ["openai", "sentiment", "main", "words"]
    assert (specs["main"].plugin, specs["main"].timeout, specs["main"].own.endpoint) == (
        "openai",
        2.5,
        "http://127.0.0.1:1/v1",
    )
    assert (specs["main"].input_cost, specs["main"].output_cost, specs["main"].model) == (1.5, 6.0, "small")
    assert specs["words"].reuse == "never"
    assert config.security.level is SecurityLevel.FULL
    assert config.security.reach is Reach.LOCAL
    assert config.security.values == {"user": "Ada", "tags": ("a", 1)}
    assert config.journal.path == str(kit.home / "chain.sqlite")
    assert "l1" not in session.host.caches.layers


def test_without_a_file_the_plugins_bring_their_instances(kit, catalog):
    with kit.open(catalog) as session:
        pool = session.host.pool
        assert list(pool.instances) == [RemoteModel("openai"), LocalModel("sentiment")]
        assert "ACME_API_KEY is not set" in pool.unusable(RemoteModel("openai"))
        assert pool.unusable(LocalModel("sentiment")) is None
        assert session.host.config.engine.name == "static"
        assert "l1" in session.host.caches.layers


@pytest.mark.parametrize("variable", ["ACME_API_KEY", "ACME_BASE_URL"])
def test_a_key_or_an_endpoint_makes_the_remote_default_usable(kit, catalog, variable):
    with kit.open(catalog, environ={**kit.environ, variable: "x"}) as session:
        assert session.host.pool.unusable(RemoteModel("openai")) is None


def test_a_configured_endpoint_needs_no_key(kit, catalog):
    table = "[delegation.remote_providers.mine]\nendpoint = 'http://127.0.0.1:1/v1'\n"
    with kit.open(catalog, table) as session:
        assert session.host.pool.unusable(RemoteModel("mine")) is None
        assert session.host.pool.unusable(RemoteModel("openai")) is not None


def test_a_default_instance_that_cannot_be_made_is_reported_and_left_out(kit, remote_settings):
    broken = kit.provider("odd", lambda _: "", settings=remote_settings, defaults={"odd": {"nonsense": 1}})
    with kit.open(kit.catalog(broken, kit.provider("fine", lambda _: ""))) as session:
        assert list(session.host.pool.instances) == [LocalModel("fine")]
        assert "acme-plugin 1.2" in session.problems[0].message


def test_the_search_goes_from_the_program_to_the_user(tmp_path, monkeypatch):
    beside, here, home = (tmp_path / name for name in ("beside", "here", "home"))
    for folder in (beside, here, home):
        folder.mkdir()
        (folder / "delegation.toml").write_text("")
    monkeypatch.chdir(here)
    environ = {"RTFS_HOME": str(home)}
    asked = tmp_path / "asked.toml"
    assert any_file(asked, beside, environ) == asked
    assert any_file(None, beside, environ) == found_file(beside, environ) == beside / "delegation.toml"
    (beside / "delegation.toml").unlink()
    assert any_file(None, beside, environ) == found_file(beside, environ) == here / "delegation.toml"
    (here / "delegation.toml").unlink()
    assert any_file(None, beside, environ) == home / "delegation.toml"
    assert found_file(beside, environ) is None
    (home / "delegation.toml").unlink()
    assert any_file(None, beside, environ) is None
    assert any_file(None, None, {}) is None


CHANGES = [
    "[delegation.static_routes]\nf = 'local-sentiment'\n",
    "[delegation]\ndefault_target = 'local-sentiment'\n",
    "[security]\ndeny = ['f']\n",
    "[security]\nreach = 'local'\n",
    "[security]\ngrant = ['f']\n",
    "[security]\nlevel = 'full'\n",
    "[delegation.remote_providers.x]\nprovider = 'openai'\n",
    "[delegation.remote_providers.x]\nprovider = 'openai'\ninput_cost = 1\n",
    "[delegation.remote_providers.x]\nprovider = 'openai'\nmodel = 'n'\n",
]


def test_every_change_of_policy_changes_its_hash(kit, catalog):
    seen = set()
    for text in ("", *CHANGES):
        with kit.open(catalog, text) as session:
            seen.add(session.host.policy_hash)
    with kit.open(catalog, "", environ={**kit.environ, "ACME_API_KEY": "x"}) as session:
        seen.add(session.host.policy_hash)
    assert len(seen) == len(CHANGES) + 2


def test_what_decides_nothing_leaves_the_hash_alone(kit, catalog):
    seen = set()
    for text in ("", "[journal]\nenabled = false\n", "[caches.l1]\nenabled = false\n"):
        with kit.open(catalog, text) as session:
            seen.add(session.host.policy_hash)
    assert len(seen) == 1
