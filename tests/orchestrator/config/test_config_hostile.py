"""Configurations that somebody wrote to break a host: a mistake with a place or a configuration, never anything else.

Each is met untrusted and trusted. Untrusted it changes nothing of what guards the host.
"""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import FILE_WITHIN, ConfigError


@attrs.frozen(slots=True, kw_only=True)
class Rules:
    """Settings that name a file."""

    rules: str = attrs.field(metadata=FILE_WITHIN)


REMOTE = "[delegation.remote_providers.openai]\n"
MODEL = "[delegation.local_models.x]\nprovider = 'rules'\n"
TEXTS = [
    "[[delegation]]\nx = 1",
    "delegation = 5",
    "delegation = []",
    "[delegation]\nstatic_routes = 5",
    "[delegation.static_routes]\nf = []",
    "[delegation.static_routes]\n'' = 'local-pure'",
    "[delegation.static_routes]\nf = [[]]",
    "[delegation.static_routes]\nf = {}",
    "[delegation.static_routes]\nf = ['']",
    "[delegation.static_routes]\n'" + "*a" * 3000 + "' = 'local-pure'",
    "[delegation]\ndefault_target = ''",
    "[delegation]\ndefault_target = ['local-pure']",
    "[delegation]\nremote_providers = []",
    REMOTE + "endpoint = 5",
    REMOTE + "endpoint = 'https://h:70000'",
    REMOTE + 'endpoint = "https://\\n"',
    REMOTE + "timeout = 1e308",
    REMOTE + "timeout = '" + "9" * 5000 + "s'",
    REMOTE + "provider = 5",
    REMOTE + "provider = 'no'",
    REMOTE + "'' = 1",
    "[delegation.remote_providers]\nopenai = 5",
    "[delegation.remote_providers.'']\nprovider = 'openai'",
    '[delegation.remote_providers."\\u001b[2J"]\nprovider = "openai"',
    "[delegation.local_models.pure]\nprovider = 'rules'",
    "[delegation.local_models.x]\nprovider = 5",
    "[delegation.local_models.x]",
    MODEL + "rules = 5",
    MODEL + 'rules = "a\\u0000b"',
    MODEL + "rules = '~nobody-of-that-name/a'",
    MODEL + "rules = '.'",
    MODEL + "rules = ''",
    MODEL + "rules = '" + "a/" * 4000 + "'",
    MODEL + "rules = '/dev/zero'",
    "[engines]\nstatic = 5",
    "[engines.static]\nx = 1",
    "[engines.'']",
    "[caches]\nl1 = 5",
    "[caches.l1]\nenabled = 'yes'",
    "[caches.l1]\nttl = nan",
    "[caches.'']\n",
    "[security]\ncontext = 5",
    "[security]\ngrant = [5]",
    "[security]\ngrant = ['']",
    "[security]\nlevel = ['full']",
    "[security]\ndeny = ['" + "*" * 5000 + "']",
    "[security.context]\na = 2020-01-01",
    "[security.context.a.b]\nc = [1, {}]",
    "[security.context]\n'' = 1",
    "[limits]\nsteps = " + "9" * 60,
    "[limits]\ndepth = " + "9" * 30,
    "[limits]\nsteps = -1",
    "[limits]\nseconds = 1e400",
    "[limits]\nseconds = 1e300",
    "[limits]\nmemory = 0x7fffffffffffffffffff",
    "[limits]\nnesting = 'off'",
    '[journal]\npath = "a\\u0000b"',
    "[journal]\nenabled = 0",
    "[modules]\npath = 'lib'",
    '[modules]\npath = ["\\u0000"]',
    "[keys]\nX = 5",
    "[keys]\nX = {}",
    "[keys]\nX = [5]",
    "[keys]\n'' = 'https://x'",
    "[keys]\nX = 'https://u:secret@h'",
    "[delegation\n",
    "a = 1\na = 2",
    "\u2028 = 1",
    "[trust]\nme = true",
    "trusted = true",
]


@pytest.fixture
def place(kit, remote_settings, fake_engine):
    """Return what opens a session beside a found file."""
    catalog = kit.catalog(
        kit.provider("openai", lambda _: "o", remote=True, settings=remote_settings),
        kit.provider("rules", lambda _: "r", defaults={}, settings=Rules),
        engine=fake_engine(),
        l1=True,
    )
    repo = kit.home / "repo"
    repo.mkdir()

    def opened(text, trust):
        (repo / "delegation.toml").write_text(text + "\n", encoding="utf-8")
        environ = {"RTFS_HOME": str(kit.home / "own"), "RTFS_TRUST": trust}
        with kit.open(catalog, program_dir=repo, environ=environ, journal=False) as session:
            return session.host.config

    return opened


def guards(config):
    """Return what an untrusted file must not change."""
    rules = config.security
    remote = {
        each.target: each.own for each in config.providers if each.own is not None and not isinstance(each.own, Rules)
    }
    return (
        rules.level,
        rules.reach,
        rules.grant,
        rules.values,
        config.journal,
        config.module_path,
        config.keys,
        remote,
    )


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_it_is_a_mistake_with_a_place_or_a_configuration(place, text):
    without = guards(place("", "0"))
    for trust in ("0", "1"):
        try:
            config = place(text, trust)
        except ConfigError as error:
            found = error.diagnostics
        else:
            found = config.notices
            assert trust == "1" or guards(config) == without
        for each in found:
            assert each.code.startswith("E07")
            assert each.severity == "warning" or each.place is not None
            assert "\x1b" not in each.message
            assert "secret" not in each.message
            assert "validator" not in each.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[delegation.local_models.x]\nprovider = 5", ["'provider' must be a text, not a whole number"]),
        (MODEL + "rules = 5", ["'rules' must be a text, not a whole number"]),
        ("[limits]\ndepth = " + "9" * 30, ["'depth' must be at most 1,000,000,000,000,000, or \"off\""]),
    ],
)
def test_one_mistake_is_one_mistake(place, text, says):
    with pytest.raises(ConfigError) as caught:
        place(text, "1")
    assert [each.message for each in caught.value.diagnostics] == says


def test_of_very_many_mistakes_some_are_told_and_the_rest_is_counted(place):
    with pytest.raises(ConfigError) as caught:
        place("".join(f"k{number} = 1\n" for number in range(500)), "0")
    assert len(caught.value.diagnostics) == 51
    assert "450 more" in caught.value.diagnostics[-1].message


def test_a_file_of_routes_and_grants_to_the_last_byte_is_read(place):
    routes = "".join(f"'*{number}*a*' = 'local-pure'\n" for number in range(3000))
    config = place(f"[delegation.static_routes]\n{routes}[security]\ngrant = {[f'g{n}' for n in range(9000)]}\n", "0")
    assert len(config.routes) == 3000
    assert config.security.grant == ()
