"""`rtfs plugin new` refuses what is no name and touches nothing in the way; `audit` and `--timings` tell."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs_framework.api import CacheEntry, CacheLevel, hookimpl
from rtfs_framework.cli import door
from rtfs_framework.cli.kit.kinds import KINDS, LICENSES
from rtfs_framework.cli.kit.names import LONGEST
from rtfs_framework.registry.load import load_catalog
from rtfs_framework.registry.permissions import Allowed

FAKES = Path(__file__).parents[1] / "registry" / "fakes"


@pytest.fixture
def new(rtfs, folder, monkeypatch):
    """Return a function that makes a plug-in in the test's folder, where no other plug-in is loaded."""
    monkeypatch.setenv("RTFS_PLUGINS", "")
    return lambda *args: rtfs("plugin", "new", *args)


@pytest.mark.parametrize("kind", KINDS)
def test_a_plug_in_of_every_kind_is_made_whole(new, folder, kind):
    made = new(kind, "mine", "--json").data
    assert (made["kind"], made["distribution"], made["folder"]) == (kind, f"rtfs-{kind}-mine", "mine")
    here = sorted(file.relative_to("mine").as_posix() for file in Path("mine").rglob("*") if file.is_file())
    assert here == made["files"]
    for file in made["files"]:
        assert "$" not in (folder / "mine" / file).read_text(encoding="utf-8").replace("${{", "")
    for file in Path("mine").rglob("*.py"):
        compile(file.read_text(encoding="utf-8"), str(file), "exec")
    assert f'rtfs-{kind}-mine"' in (folder / "mine/pyproject.toml").read_text(encoding="utf-8")
    assert not list(folder.glob(".rtfs-new-*"))


def test_it_says_how_to_go_on_and_both_words_are_one_command(rtfs, folder, monkeypatch):
    monkeypatch.setenv("RTFS_PLUGINS", "")
    made = rtfs("plugins", "new", "guard", "my-guard", "--into", "deep/er", "--author", 'Ada "L" \\ Lovelace')
    assert made.lines[0] == "deep/er/my-guard: rtfs-guard-my-guard, 12 files"
    assert "  cd deep/er/my-guard" in made.lines
    project = (folder / "deep/er/my-guard/pyproject.toml").read_text(encoding="utf-8")
    assert r'authors = [{ name = "Ada \"L\" \\ Lovelace" }]' in project
    assert 'requires_api = ">=2,<3"' in (folder / "deep/er/my-guard/rtfs_guard_my_guard/plugin.py").read_text()


@pytest.mark.parametrize("license_", LICENSES)
def test_the_licence_is_there_with_its_whole_text(new, folder, license_):
    assert new("observer", "mine", "--license", license_, "--author", "Ada $year").code == 0
    assert f'license = "{license_}"' in (folder / "mine/pyproject.toml").read_text(encoding="utf-8")
    text = (folder / "mine/LICENSE").read_text(encoding="utf-8")
    assert ("Apache License" in text) if license_ == "Apache-2.0" else ("Ada $year" in text)
    assert len(text) > 1000


@pytest.mark.parametrize(
    ("name", "words", "way_out"),
    [
        ("My_Engine", "small letters, digits and single dashes", "write my-engine"),
        ("a--b", "single dashes", "write a-b"),
        ("-", "single dashes", "a letter first"),
        ("7up", "begin with a letter", "write my-7up"),
        ("a/b", "small letters", "write a-b"),
        ("../up", "small letters", "write up"),
        ("class", "a word of Python", "write my-class"),
        ("none", "a word of Python", "write my-none"),
        ("json", "a module that everybody has", "write my-json"),
        ("rtfs", "a module that everybody has", "write my-rtfs"),
        ("test", "a module that everybody has", "write my-test"),
        ("attrs", "a module that is installed here", "write my-attrs"),
        ("typing-extensions", "a module that is installed here", "write my-typing"),
        *((name, "a device on Windows", f"write my-{name}") for name in ("con", "aux", "nul", "prn", "com1", "lpt9")),
        ("käse", "small letters", "write k-se"),
        ("x" * (LONGEST + 1), f"it has {LONGEST + 1} characters", f"write {'x' * LONGEST}"),
        ("x" * 9_000, "it has 9000 characters", "write xxx"),
        ("", "it is empty", "a letter first"),
        ("a\x1b[31m", "small letters", "write a-31m"),
    ],
)
def test_what_is_no_name_is_refused_with_one_that_is(new, folder, name, words, way_out):
    before = sorted(folder.iterdir())
    result = new("engine", "--", name)
    assert result.code == 2
    assert "error[E0993]" in result.err
    assert words in result.err
    assert f"help: {way_out}" in result.err or way_out in result.err
    assert "\x1b" not in result.err
    assert len(result.err) < 500
    assert sorted(folder.iterdir()) == before


def test_the_longest_name_is_fine(new):
    assert new("engine", "x" * LONGEST).code == 0


def test_a_name_that_somebody_offers_is_taken(new, monkeypatch, folder):
    class Other:
        rtfs_api_version = 2
        rtfs_distribution = "acme-caches"
        rtfs_version = "1.2"

        @hookimpl
        def rtfs_caches(self):
            return [CacheEntry(name="mine", summary="One.", level=CacheLevel.L1, factory=list)]

    catalog = load_catalog({"RTFS_PLUGINS": ""}, extra_plugins=[Other()])
    monkeypatch.setattr(door, "full_catalog", lambda: catalog)
    result = new("cache", "mine")
    assert result.code == 2
    assert "error[E0994]: the cache `mine` is offered by acme-caches 1.2" in result.err
    assert not (folder / "mine").exists()
    assert new("guard", "mine").code == 0


def test_a_built_in_command_s_name_is_taken(new):
    assert "error[E0994]: the command `run` is offered by rtfs-framework" in new("command", "run").err


def test_a_distribution_that_is_installed_has_its_name(new, monkeypatch):
    from rtfs_framework.cli.kit import making

    monkeypatch.setattr(making, "_installed", lambda: {"rtfs-guard-mine"})
    assert "error[E0994]: the distribution rtfs-guard-mine is installed" in new("guard", "mine").err


def test_what_is_in_the_way_stays_as_it_is(new, folder):
    (folder / "mine").mkdir()
    (folder / "mine/own.txt").write_text("precious")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "file").write_text("")
    for line in (("engine", "mine"), ("engine", "dangling"), ("engine", "other", "--into", "file")):
        result = new(*line)
        assert result.code == 1
        assert "error[E0995]" in result.err
        assert "help: " in result.err
    assert [each.name for each in (folder / "mine").iterdir()] == ["own.txt"]
    assert not (folder / "nowhere").exists()


def test_a_kind_that_there_is_not_and_an_author_of_two_lines_are_refused(new):
    wrong = new("egnine", "mine")
    assert wrong.code == 2
    assert "engine" in wrong.err
    assert "error[E0910]" in new("engine", "mine", "--author", "a\nb").err


def test_help_shows_examples(rtfs):
    for line in (("plugin", "new"), ("plugins", "audit"), ("plugins",)):
        assert "rtfs plugin" in rtfs(*line, "--help").out.partition("\n\n")[2]


@pytest.fixture
def hungry(folder, monkeypatch):
    """Let two fake distributions be the only ones: one declares much, one says nothing."""
    for name in ("acme-hungry", "acme-good"):
        monkeypatch.syspath_prepend(str(FAKES / name))
    monkeypatch.setenv("RTFS_PLUGINS", "acme-hungry,acme-good")
    yield folder
    for module in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[module]


def own(folder, text):
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / "delegation.toml").write_text(text, encoding="utf-8")


def test_audit_says_who_declares_what_and_who_says_nothing(rtfs, hungry):
    shown = rtfs("plugins", "audit")
    assert shown.code == 0
    assert "acme-good 1.0    says nothing of what it needs" in shown.out
    assert "acme-hungry 1.0  files, network" in shown.out
    assert "the configuration allows everything" in shown.out
    assert rtfs("plugins", "audit", "--strict").code == 1
    data = rtfs("plugin", "audit", "--json").data
    assert data["plugins"][1] == {
        "distribution": "acme-hungry",
        "version": "1.0",
        "declared": ["files", "network"],
        "lacking": [],
        "loaded": True,
        "offers": ["cache hungry"],
    }


def test_the_user_s_own_file_says_what_plug_ins_may_have(rtfs, hungry):
    own(hungry, '[plugins]\nallow = ["files"]\n')
    assert "acme-hungry 1.0  files, network; NOT LOADED, it may not have: network" in rtfs("plugins", "audit").out
    refused = rtfs("plugins")
    assert "error[E0813]: acme-hungry 1.0: needs network" in refused.out
    assert "warning[E0813]" in rtfs("check", "pure.rtfs").err
    assert "acme_hungry" not in sys.modules
    own(hungry, '[plugins]\nallow = ["files"]\n[plugins.grant]\nAcme_Hungry = ["files", "network"]\n')
    silent = "acme-good 1.0    says nothing of what it needs; NOT LOADED, nobody granted it anything by name"
    assert silent in rtfs("plugins", "audit").out
    assert [each["loaded"] for each in rtfs("plugins", "audit", "--json").data["plugins"]] == [False, True]
    own(hungry, '[plugins.grant]\nAcme_Hungry = ["files", "network"]\nacme-good = ["files"]\n')
    assert rtfs("plugins", "audit").out.count("NOT LOADED") == 0


def test_a_file_that_is_found_says_nothing_of_it_even_if_it_is_trusted(rtfs, hungry):
    own(hungry, "[plugins]\nallow = []\n")
    (hungry / "delegation.toml").write_text('[plugins]\nallow = ["files", "network"]\n', encoding="utf-8")
    assert "plugins.allow" in rtfs("check", "pure.rtfs").err
    trusted = rtfs("check", "pure.rtfs", "--trust")
    assert "warning[E0718]: what plugins may have is said in your own configuration only" in trusted.err
    assert "warning[E0813]" in trusted.err
    assert "NOT LOADED" in rtfs("plugins", "audit").out


def test_a_file_that_is_asked_for_and_a_variable_say_it_too(rtfs, hungry, monkeypatch):
    asked = hungry / "asked.toml"
    asked.write_text("[plugins]\nallow = []\n", encoding="utf-8")
    assert "E0813" in rtfs("check", "pure.rtfs", "--config", "asked.toml").err
    monkeypatch.setenv("RTFS_PLUGINS__ALLOW", '["network"]')
    assert "it may not have: files" in rtfs("plugins", "audit").out
    monkeypatch.setenv("RTFS_PLUGINS__ALLOW", '["files", "network"]')
    monkeypatch.setenv("RTFS_PLUGINS__GRANT__ACME_GOOD", '["files"]')
    assert "E0813" not in rtfs("check", "pure.rtfs", "--config", "asked.toml").err


@pytest.mark.parametrize("wrong", ['allow = "all"', "allow = 7", "allow = [7]", "allow = ]", 'allow = ["netwrok"]'])
def test_a_table_that_cannot_be_read_allows_nothing_and_is_a_mistake_at_its_place(rtfs, hungry, wrong):
    own(hungry, f"[plugins]\n{wrong}\n")
    assert "NOT LOADED" in rtfs("plugins", "audit").out
    result = rtfs("config", "check")
    assert result.code != 0
    assert "error[E07" in result.err + result.out
    assert "E0999" not in result.err + result.out


def test_timings_are_of_the_first_time(hungry):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from rtfs_framework.cli.main import run; sys.exit(run(['plugins', '--timings', '--json']))"
    )
    line = [sys.executable, "-c", code, str(FAKES / "acme-hungry"), str(FAKES / "acme-good")]
    found = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    assert {each["distribution"] for each in found["timings"]} >= {"acme-hungry", "acme-good"}
    assert all(each["import_ms"] > 0 and each["hooks_ms"] > 0 for each in found["timings"])


def test_timings_are_shown_to_people(rtfs, hungry):
    shown = rtfs("plugins", "--timings").lines
    assert shown[0].split() == ["distribution", "import", "hooks"]
    assert any(line.startswith("acme-good 1.0") and line.count(" ms") == 2 for line in shown)


def test_what_is_allowed_is_known_to_the_catalog():
    assert load_catalog({"RTFS_PLUGINS": ""}, allowed=Allowed(frozenset())).allowed == Allowed(frozenset())
