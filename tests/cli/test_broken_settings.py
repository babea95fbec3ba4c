"""Settings classes of plugins that no file can fill: the plugin is named, at the place in the file."""

from __future__ import annotations

import pytest

PLUGIN = """
from __future__ import annotations

import collections.abc
import dataclasses

import attrs

from rtfs_framework.api import *

rtfs_api_version = 2


class Engine:
    def claims(self):
        return []

    def decide(self, context):
        raise AssertionError


{settings}


@hookimpl
def rtfs_engines():
    return [EngineEntry(name="acme", summary="", factory=lambda settings: Engine(), settings=Own)]


@hookimpl
def rtfs_providers():
    return [ProviderEntry(name="acmep", summary="", factory=print, locality=Locality.REMOTE, settings=Own)]


@hookimpl
def rtfs_caches():
    return [CacheEntry(name="l9", summary="", factory=print, level=CacheLevel.L2, settings=Own)]
"""
CLASSES = {
    "a callable": "@attrs.frozen\nclass Own:\n    x: collections.abc.Callable[[], int] = print",
    "an object": "@attrs.frozen\nclass Own:\n    x: Engine = None",
    "no such type": "@attrs.frozen\nclass Own:\n    x: Nonesuch = 1",
    "leaves": "@attrs.frozen\nclass Own:\n    x: int = 1\n    def __attrs_post_init__(self): exit(4)",
}
NO_CLASSES = {
    "a dataclass": "@dataclasses.dataclass\nclass Own:\n    x: int = 1",
    "a plain class": "class Own:\n    x = 1",
    "a dict": "Own = {'x': 1}",
    "a function": "Own = print",
}
TABLES = {
    "engines.acme": ("engine", '[delegation]\nengine = "acme"\n[engines.acme]\nx = 1\n'),
    "delegation.remote_providers.acmep": ("provider", "[delegation.remote_providers.acmep]\nx = 1\n"),
    "caches.l9": ("cache", "[caches.l9]\nx = 1\n"),
}
COMMANDS = (("eval", "(+ 1 2)", "--config", "c.toml"), ("config", "check", "c.toml"), ("config", "show", "c.toml"))


@pytest.mark.parametrize("command", COMMANDS, ids=["eval", "check", "show"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("own", CLASSES)
def test_a_class_that_no_file_can_fill_is_the_plugins_fault(rtfs, acme_bad, folder, own, table, command) -> None:
    acme_bad(PLUGIN.format(settings=CLASSES[own]))
    kind, text = TABLES[table]
    (folder / "c.toml").write_text(text)
    result = rtfs(*command)
    assert result.code == 1
    assert f": error[E0801]: acme-bad 1.0: {kind} '" in result.err
    assert "its settings class `Own`" in result.err
    assert f"[{table}]" in result.err
    assert "E0999" not in result.err


@pytest.mark.parametrize("own", NO_CLASSES)
def test_what_is_no_attrs_class_is_refused_when_the_plugin_is_loaded(rtfs, acme_bad, own) -> None:
    acme_bad(PLUGIN.format(settings=NO_CLASSES[own]))
    result = rtfs("eval", "(+ 1 2)")
    assert (result.code, result.out) == (0, "3\n")
    assert result.err.count("and no attrs class (decorate it with `@attrs.frozen`)") == 3
    assert result.err.count("warning[E0805]: acme-bad 1.0: ") == 3


def test_an_engine_that_needs_settings_and_has_none_is_a_mistake_of_the_file(rtfs, acme_bad, folder) -> None:
    acme_bad(PLUGIN.format(settings="@attrs.frozen\nclass Own:\n    x: int"))
    (folder / "c.toml").write_text('[delegation]\nengine = "acme"\n')
    result = rtfs("eval", "(+ 1 2)", "--config", "c.toml")
    assert result.code == 1
    assert "c.toml:2:10: error[E0801]: acme-bad 1.0: engine 'acme': its settings without a table" in result.err
    assert "help: add [engines.acme]" in result.err


def test_a_remote_provider_that_needs_settings_is_there_once_it_is_configured(rtfs, acme_bad) -> None:
    acme_bad(PLUGIN.format(settings="@attrs.frozen\nclass Own:\n    x: int"))
    result = rtfs("eval", "(+ 1 2)")
    assert (result.code, result.out, result.err) == (0, "3\n", "")


@pytest.mark.parametrize("method", ["unusable", "account", "base_url"])
@pytest.mark.parametrize("how", ["1 / 0", "exit(4)", "raise_odd()", "[7]"])
def test_what_a_settings_class_says_of_itself_may_break_too(rtfs, acme_bad, folder, method, how) -> None:
    odd = "class Odd(BaseException):\n    pass\n\n\ndef raise_odd():\n    raise Odd\n\n\n"
    own = f"@attrs.frozen\nclass Own:\n    x: int = 1\n    def {method}(self, environ): return {how}"
    acme_bad(PLUGIN.format(settings=odd + own))
    (folder / "p.rtfs").write_text('(defn ^:delegation :remote "acmep" f [x] "own")\n(defn main [x] (f x))')
    for command in ("check", "explain", "run"):
        result = rtfs(command, "p.rtfs", *(["x"] if command == "run" else []))
        assert "E0999" not in result.out + result.err
        assert "Traceback" not in result.err
        assert "acme-bad 1.0" in result.out + result.err or method == "base_url"
    assert result.code == 1
