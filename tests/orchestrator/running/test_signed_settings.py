"""What a manifest says of settings: of budgets, child processes, observers, models and values, each held to."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import ConfigError, ObserverEntry
from rtfs_framework.api.settings import FILE_WITHIN
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.manifest import draw
from rtfs_framework.orchestrator.running.manifests import read_manifest

TEXT = '(defn ^:delegation :local-model "near" told [x :string] :string "own") (defn main [] (told "x"))'
SANDBOXED = '[security]\nisolation = "sandboxed"\n'
USUAL = "[security.child]\nmemory = '300 MB'\nfiles = 64\nread = ['a', 'b']\nenvironment = ['LANG']\n"
MODEL = '[delegation.local_models.near]\nprovider = "near"\nrules = "u.toml"\n'
BUDGET = "[budgets.day]\ncalls = 100\n"
HEARD = "[observers.diary]\n"


@attrs.frozen(slots=True, kw_only=True)
class Rules:
    """The keys of the fake model."""

    rules: str = attrs.field(default="u.toml", metadata=FILE_WITHIN)
    key_env: str = ""


@attrs.frozen(slots=True, kw_only=True)
class Diary:
    """The keys of the fake observer."""

    lines: int = 10


@pytest.fixture
def catalog(kit):
    diary = ObserverEntry(
        name="diary", summary="A fake.", factory=lambda _: lambda _event: None, settings=Diary, events=("*",)
    )
    return kit.catalog(kit.provider("near", lambda _: "near", settings=Rules), observers=(diary,))


@pytest.fixture
def sign(kit, catalog):
    """Return a function that signs a program under a configuration, and gives what the file says."""

    def made(config):
        path = kit.home / "p.rtfs"
        path.write_text(TEXT, encoding="utf-8")
        with kit.open(catalog, config, program_dir=kit.home, journal=False) as session:
            text = draw(session.host, Source(str(path), TEXT), session.limits).text
        (kit.home / "m.toml").write_text(text, encoding="utf-8")
        return read_manifest(kit.home / "m.toml")

    return made


@pytest.fixture
def held(kit, catalog):
    """Return a function that opens a session which is held to what was signed, and gives what it says of itself."""

    def opened(config):
        with kit.open(catalog, config, program_dir=kit.home, manifest=kit.home / "m.toml") as session:
            return session.host.config.security.signed.name

    return opened


WIDER = [
    # what was signed, what is in force, what is said
    (BUDGET, BUDGET + 'target = "remote-*"\n', "the budget 'day' is another one now: scope"),
    (BUDGET + 'target = "local-*"\n', BUDGET, "the budget 'day' is another one now: scope"),
    (BUDGET, BUDGET + 'for_each = ["tenant"]\n', "the budget 'day' is another one now: for_each"),
    (SANDBOXED + USUAL, SANDBOXED + USUAL.replace("'b'", "'/etc'"), "a child process may use more now: read, "),
    (SANDBOXED + USUAL, SANDBOXED + USUAL + "write = ['a']\n", "a child process may use more now: write, a"),
    (SANDBOXED + USUAL, SANDBOXED + USUAL.replace("LANG", "API_KEY"), "may use more now: environment, API_KEY"),
    (SANDBOXED + USUAL, SANDBOXED + USUAL.replace("300", "301"), "a child process may use more now: memory, "),
    (SANDBOXED + USUAL, SANDBOXED + USUAL.replace("64", "65"), "a child process may use more now: files, 65"),
    (SANDBOXED, SANDBOXED + "[security.child]\nread = ['/etc']\n", "a child process may use more now: read, /etc"),
    ("", HEARD, "the observer 'diary' hears this, and was not signed as it is now"),
    (HEARD, HEARD + "lines = 11\n", "the observer 'diary' hears this, and was not signed as it is now"),
    (MODEL, MODEL.replace("u.toml", "v.toml"), "local-near is another one now: "),
    (MODEL, MODEL + "key_env = 'MY_KEY'\n", "local-near is another one now: "),
    ("[security.context]\nwho = 'a'\n", "[security.context]\nwho = 'b'\n", "@who is another value now"),
    ("[security.context]\nwho = 'a'\n", "[security.context]\nwho = 'a'\nmore = 1\n", "@more is another value now"),
    ("[security.context]\nwho = 'a'\n", "", "@who is another value now"),
]


@pytest.mark.parametrize(("signed", "now", "said"), WIDER)
def test_what_allows_more_than_was_signed_is_refused(sign, held, signed, now, said):
    sign(signed)
    assert held(signed) == "m.toml"
    with pytest.raises(ConfigError) as caught:
        held(now)
    (found,) = caught.value.diagnostics
    assert found.code == "E0731"
    assert said in found.message
    assert found.source.name.endswith("m.toml")


@pytest.mark.parametrize(
    ("signed", "now"),
    [
        (SANDBOXED + USUAL, SANDBOXED + USUAL.replace("300", "299").replace(", 'b'", "").replace("'LANG'", "")),
        (HEARD, ""),
        (HEARD, HEARD + "enabled = false\n"),
        (BUDGET + 'target = "local-*"\n', BUDGET.replace("100", "99") + 'target = "local-*"\n'),
    ],
)
def test_what_allows_less_is_not(sign, held, signed, now):
    sign(signed)
    assert held(now) == "m.toml"


def test_it_says_settings_and_no_secret(sign, kit):
    context = "[security.context]\nwho = 'nobody else'\n"
    found = sign(MODEL + "key_env = 'MY_KEY'\n" + HEARD + context + BUDGET)
    assert found.targets["local-near"]["settings"] == {"rules": "u.toml", "key_env": "MY_KEY"}
    assert found.kept.observers["diary"]["settings"] == {"lines": 10}
    assert found.budgets["day"]["scope"] == {}
    assert len(found.context["who"]) == 64
    assert "nobody else" not in (kit.home / "m.toml").read_text(encoding="utf-8")


def test_paths_of_a_model_that_begin_elsewhere_are_others(sign, held, kit):
    sign(MODEL)
    folder = kit.home / "elsewhere"
    folder.mkdir()
    (folder / "own.toml").write_text(MODEL, encoding="utf-8")
    with pytest.raises(ConfigError, match="local-near is another one now"):
        held(folder / "own.toml")


def test_a_file_that_says_nothing_of_child_processes_means_the_usual_ones(sign, held, kit):
    sign(SANDBOXED)
    path = kit.home / "m.toml"
    head, _, rest = path.read_text(encoding="utf-8").partition("[child]\n")
    path.write_text(head + rest.partition("\n\n")[2], encoding="utf-8")
    assert held(SANDBOXED) == "m.toml"
    with pytest.raises(ConfigError, match="may use more now: files"):
        held(SANDBOXED + "[security.child]\nfiles = 100_000\n")
