"""Durations and sizes with their units, doubtful numbers, and all mistakes of a configuration at once."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ConfigError, load_toml, structure
from rtfs_framework.api.units import duration, size
from rtfs_framework.orchestrator.config.tables.file import ConfigFile, LimitsTable, ProviderTable

GIB = 1 << 30


@pytest.fixture
def catalog(kit, remote_settings):
    return kit.catalog(kit.provider("openai", lambda _: "o", remote=True, settings=remote_settings), l1=True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30), ("500ms", 0.5), ("2 min", 120), ("1.5h", 5400), (" 3 seconds ", 3), ("1d", 86400), ("5M", 300),
        ("30", None), ("s", None), ("-1s", None), ("1e3s", None), ("infs", None), ("nan s", None),
        ("1 fortnight", None),
        ("", None), ("1s2", None), ("٣s", None), ("1_0s", None), ("0x1s", None), ("9" * 400 + "s", None), ("1.s", None),
    ],
)  # fmt: skip
def test_a_duration(text, seconds):
    assert duration(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1 GiB", GIB), ("64M", 64 << 20), ("64MB", 64 << 20), ("10kb", 10 << 10), ("0.5 GiB", GIB >> 1), ("7B", 7),
        ("1", None), ("GiB", None), ("-1G", None), ("1 GiBB", None), ("1 min", None), ("1,5G", None), ("1 T", None),
    ],
)  # fmt: skip
def test_a_size(text, count):
    assert size(text) == count


@pytest.mark.parametrize(
    ("value", "seconds"), [("2500", 2.5), ('"30s"', 30), ('"500ms"', 0.5), ('"2 min"', 120), ("1500.5", 1.5005)]
)
def test_a_timeout_has_its_unit_or_is_milliseconds(kit, catalog, value, seconds):
    with kit.open(catalog, f"[delegation.remote_providers.x]\ntimeout = {value}\n") as session:
        assert {spec.id: spec.timeout for spec in session.host.config.providers}["x"] == pytest.approx(seconds)
        assert session.host.config.notices == ()


def test_every_duration_and_size_takes_a_unit(kit, catalog):
    text = """
        [delegation]
        cache_ttl = "1h"
        [caches.l1]
        ttl = "5 min"
        [limits]
        seconds = "1 min"
        memory = "1 GiB"
    """
    with kit.open(catalog, text) as session:
        config = session.host.config
    assert (config.cache_ttl, config.caches["l1"].ttl) == (3600, 300)
    assert (config.limits.seconds, config.limits.memory) == (60, GIB)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("[delegation.remote_providers.x]\ntimeout = 20\n", 11, "20 milliseconds, which is little"),
        ("[delegation.remote_providers.x]\ntimeout = 600\n", 11, "600 milliseconds, which is little"),
        ("[delegation.remote_providers.x]\ntimeout = 3600000000\n", 11, "41.7 days, which is much"),
        ("[limits]\nseconds = 300000\n", 11, "3.47 days, which is much"),
        ("[delegation]\ncache_ttl = 0.5\n", 13, "500 milliseconds, which is little"),
    ],
)
def test_a_number_that_is_hardly_meant_is_doubted_where_it_stands(kit, catalog, text, column, says):
    with kit.open(catalog, text) as session:
        (doubt,) = session.host.config.notices
    assert (doubt.code, doubt.severity, doubt.place.line, doubt.place.column) == ("E0707", "warning", 2, column)
    assert says in doubt.message
    assert "write the unit" in doubt.help


def test_what_has_its_unit_is_never_doubted(kit, catalog):
    with kit.open(catalog, "[delegation.remote_providers.x]\ntimeout = '20ms'\n[limits]\nseconds = '9d'\n") as session:
        assert session.host.config.notices == ()


def mistakes(kit, catalog, text):
    with pytest.raises(ConfigError) as caught:
        kit.open(catalog, text)
    return [
        (each.code, each.place.line, each.place.column, each.message, each.help) for each in caught.value.diagnostics
    ]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("seconds = nan", "E0705", "'seconds' must be a finite number, not nan"),
        ("seconds = inf", "E0705", "'seconds' must be a finite number, not inf"),
        ("seconds = -inf", "E0705", "'seconds' must be a finite number, not -inf"),
        ("seconds = -1", "E0705", "'seconds' must be at least 0, or \"off\", not -1"),
        ("seconds = '30'", "E0703", "with its unit, such as \"30s\", not '30'"),
        ("seconds = 'of'", "E0703", "not 'of'"),
        ("memory = 512", "E0705", "'memory' must be at least 1,048,576, or \"off\", not 512"),
        ("memory = '512'", "E0703", 'such as "512 MiB"'),
        ("memory = '10 KiB'", "E0705", "at least 1,048,576"),
        ("memory = 1e9", "E0703", "must be a whole number of bytes"),
        ("memory = true", "E0703", "not true or false"),
        ("memory = [1]", "E0703", "not a list"),
        ("steps = 0", "E0705", "'steps' must be at least 1, or \"off\", not 0"),
        ("step_rounds = -1", "E0705", "'step_rounds' must be >= 0"),
        ("nesting = 100000", "E0705", "'nesting' must be <="),
        ("depth = 'deep'", "E0705", "'deep' is not among the choices"),
        ("seconds = 1" + "0" * 400, "E0705", "must be a finite number"),
    ],
)
def test_bad_values_get_words_for_people_at_the_value(kit, catalog, text, code, says):
    ((found, line, column, message, _),) = mistakes(kit, catalog, f"[limits]\n{text}\n")
    assert (found, line, column) == (code, 2, text.index("=") + 3)
    assert says in message
    assert "validator" not in message
    assert "<" not in message.replace("<=", "")


def test_all_mistakes_of_a_file_are_told_at_once(kit, catalog):
    text = """[delegation]
default_target = "local-nope"
cache_ttl = -5
concurrency = 0
parallel = "many"
typo = 1
[delegation.remote_providers.x]
timeout = "soon"
input_cost = -1.0
reuse = "sometimes"
depth = "deep"
nonsense = 1
[delegation.local_models.y]
reuse = "never"
[caches.l9]
[security]
level = "fulll"
reach = 5
[limits]
seconds = nan
memory = 5
steps = 0
"""
    found = mistakes(kit, catalog, text)
    assert [(code, line) for code, line, *_ in found] == [
        ("E0706", 2), ("E0705", 3), ("E0705", 4), ("E0703", 5), ("E0702", 6), ("E0703", 8), ("E0705", 9), ("E0705", 10),
        ("E0703", 11), ("E0702", 12), ("E0704", 13), ("E0706", 15), ("E0705", 17), ("E0705", 18), ("E0705", 20),
        ("E0705", 21), ("E0705", 22),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        ".".join("a" * 3000) + " = 1",
        ".".join("a" * 100_000) + " = 1",
        "[" + ".".join("a" * 3000) + "]",
        "delegation.static_routes." + ".".join("a" * 90) + " = 'local-pure'",
        "x = " + "[" * 70 + "]" * 70,
        "x = " + "[" * 5000 + "]" * 5000,
        "x = " + "{a=" * 70 + "1" + "}" * 70,
        "'='." + ".".join("a" * 3000) + " = 1",
    ],
    ids=range(8),
)
def test_what_is_nested_too_deeply_is_a_mistake_with_a_place(kit, catalog, text):
    ((code, line, _, message, _),) = mistakes(kit, catalog, text)
    assert (code, line) == ("E0701", 1)
    assert "nested too deeply" in message


def test_texts_with_many_dots_are_no_depth(kit, catalog):
    text = f'[security.context]\nlong = "{"a." * 3000}"\n'
    with kit.open(catalog, text) as session:
        assert len(session.host.config.security.values["long"]) == 6000


def test_a_validator_s_repr_never_reaches_people():
    data, places = load_toml("[limits]\nsteps = 0\nitems = 1\n", "x.toml")
    with pytest.raises(ConfigError) as caught:
        structure(LimitsTable, data["limits"], places, ("limits",))
    assert len(caught.value.diagnostics) == 2
    assert structure(ConfigFile, {"delegation": {}}, places).limits == LimitsTable()
    assert structure(ProviderTable, {"timeout": "1 min"}, places).timeout == 60_000


def test_a_key_with_control_characters_is_shown_without_them(kit, catalog):
    ((_, _, _, message, _),) = mistakes(kit, catalog, '"\\u001b[31mred" = 1\n')
    assert "\x1b" not in message
    assert "u001b" in message
