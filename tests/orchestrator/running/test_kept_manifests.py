"""A manifest is kept with a run, whole: whoever goes on with it under a wider configuration is refused."""

from __future__ import annotations

import json
from contextlib import suppress

import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, ConfigError, ObserverEntry
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.signed import Signed
from rtfs_framework.orchestrator.explaining.manifest import draw
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.journal.query import find_run
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.kept_manifests import check_kept
from rtfs_framework.orchestrator.running.resuming import Resuming


@attrs.frozen(slots=True, kw_only=True)
class Roots:
    """What a grant of the fake files says."""

    roots: tuple[str, ...]


@attrs.frozen(slots=True, kw_only=True)
class Model:
    """The keys of the fake model and the fake observer."""

    word: str = "usual"


TEXT = """
(defn ^:delegation :local-model "near" told [x :string] :string "own")
(defn main [] (do (host/wait-for :go) [(call :fs.read "a") (told "x")]))
"""
CONFIG = """
[security]
grant = [{ id = "fs.read", roots = ["data"] }]
[security.context]
region = "eu"
[security.quota]
calls = 5
[delegation.local_models.near]
provider = "near"
word = "one"
[budgets.day]
calls = 100
"""


@pytest.fixture
def world(kit):
    """Return a function that opens a session; what it offers can be changed."""

    def opened(config=CONFIG, *, effects=("file-read",), **options):
        entry = CapabilityEntry(
            id="fs.read", summary="A fake.", handler=lambda _: "data", grant=Roots, effects=effects, idempotent=True
        )
        diary = ObserverEntry(
            name="diary", summary="A fake.", factory=lambda _: lambda _event: None, settings=Model, events=("*",)
        )
        near = kit.provider("near", lambda _: "near", settings=Model)
        return kit.open(
            kit.catalog(near, capabilities=[entry], observers=[diary]), config, program_dir=kit.home, **options
        )

    return opened


@pytest.fixture
def begun(kit, world):
    """Return the run of a program that is held to a manifest, and waits."""
    path = kit.home / "p.rtfs"
    path.write_text(TEXT, encoding="utf-8")
    program = Source(str(path), TEXT)
    with world(journal=False) as session:
        (kit.home / "m.toml").write_text(draw(session.host, program, session.limits).text, encoding="utf-8")
    with world(manifest=kit.home / "m.toml") as session:
        session.park()
        with suppress(RunParked):
            session.run(program, entry="main")
    return find_run(kit.journal, "last")


def go_on(session, run):
    tell(session.host.journal, run, "signalled", {"name": "go"}, value_text(None))
    return session.resume(Resuming(run=run)).value


NARROWER = CONFIG.replace("calls = 100", "calls = 50")


@pytest.mark.parametrize("config", [CONFIG, NARROWER, CONFIG + "[budgets.more]\ncalls = 1000\n"], ids=range(3))
def test_under_what_was_signed_it_goes_on_without_being_told_again(world, begun, config):
    with world(config) as session:
        assert go_on(session, begun) == ("data", "near")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (CONFIG.replace('word = "one"', 'word = "two"'), "local-near is another one now"),
        (CONFIG.replace("calls = 100", "calls = 101"), "the budget 'day' is another one now: calls"),
        (CONFIG.replace("[budgets.day]", "[budgets.other]"), "the budget 'day' is gone"),
        (CONFIG.replace('region = "eu"', 'region = "us"'), "@region is another value now"),
        (CONFIG.replace('region = "eu"', 'region = "eu"\nmore = 1'), "@more is another value now"),
        (CONFIG + "[observers.diary]\n", "the observer 'diary' hears this"),
    ],
    ids=["model", "budget", "no budget", "context", "more context", "observer"],
)
def test_what_no_rule_narrows_is_compared_and_refused(world, begun, config, said):
    with world(config) as session:
        with pytest.raises(ConfigError) as caught:
            go_on(session, begun)
        assert [(each.code, said in each.message) for each in caught.value.diagnostics] == [("E0731", True)]
        assert "go on under a configuration that was signed off" in caught.value.diagnostics[0].help
    with world() as session:  # it was let go of, and stays as it was
        assert go_on(session, begun) == ("data", "near")


def test_more_effects_are_refused(world, begun):
    with world(effects=("file-read", "network")) as session, pytest.raises(ConfigError, match="more effects now: net"):
        go_on(session, begun)


@pytest.mark.parametrize(
    "config", [CONFIG.replace('["data"]', '["data"] }, { id = "fs.read", roots = ["/"]'), CONFIG.replace("= 5", "= 6")]
)
def test_what_rules_narrow_is_narrowed_and_goes_on(world, begun, config):
    with world(config) as session:
        assert go_on(session, begun) == ("data", "near")


def test_nothing_is_asked_beside_it_and_another_fork_is_held_to_it_too(world, begun):
    with world(CONFIG.replace("calls = 100", "calls = 101")) as session:
        tell(session.host.journal, begun, "signalled", {"name": "go"}, value_text(None))
        with pytest.raises(ConfigError, match="'day' is another one now"):
            session.resume(Resuming(run=begun, fork=True))
    with world() as session:
        tell(session.host.journal, begun, "signalled", {"name": "go"}, value_text(None))
        with session.reopen(Resuming(run=begun)).program as program:
            assert (program.host.warming, program.host.judging) == (None, None)


def test_on_another_machine_folders_are_its_own_and_all_else_is_compared(kit, world):
    path = kit.home / "p.rtfs"
    path.write_text(TEXT, encoding="utf-8")
    with world(journal=False) as session:
        (kit.home / "m.toml").write_text(draw(session.host, Source(str(path), TEXT), session.limits).text, "utf-8")
    with world(manifest=kit.home / "m.toml") as session:
        signed = session.host.config.security.signed
    said = json.loads(signed.whole[0])
    moved = [json.dumps({**said, "folder": "/elsewhere", "machine": where}) for where in (said["machine"], "another")]
    with world() as session:
        check_kept(session.host, attrs.evolve(signed, whole=(moved[1],)))
        with pytest.raises(ConfigError, match=r"a grant of 'fs.read' is not among those signed"):
            check_kept(session.host, attrs.evolve(signed, whole=(moved[0],)))
    other = attrs.evolve(signed, whole=(moved[1],))
    with (
        world(CONFIG.replace('word = "one"', 'word = "two"')) as session,
        pytest.raises(ConfigError, match="local-near is another one now"),
    ):
        check_kept(session.host, other)


def test_what_older_journals_keep_of_one_is_read():
    kept = {"name": "m", "digest": "d", "program": "p", "capabilities": ["a"], "targets": []}
    found = Signed.of_json(kept)
    assert found.whole == ()
    assert Signed.of_json(found.to_json()) == found
