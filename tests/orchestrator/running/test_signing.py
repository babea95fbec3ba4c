"""A manifest that was signed off, and exceeded in each way: refused, with a code, a place and a way out."""

from __future__ import annotations

from contextlib import suppress

import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, ConfigError, RemoteModel
from rtfs_framework.api.settings import FILE_WITHIN
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.explaining.manifest import draw
from rtfs_framework.orchestrator.recording.journal.kept import value_text
from rtfs_framework.orchestrator.recording.journal.outside import tell
from rtfs_framework.orchestrator.recording.journal.query import find_run, show_run
from rtfs_framework.orchestrator.recording.purse import RunParked
from rtfs_framework.orchestrator.running.manifests import read_manifest
from rtfs_framework.orchestrator.running.resuming import Resuming
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance


@attrs.frozen(slots=True, kw_only=True)
class Roots:
    """What a grant of the fake files says."""

    roots: tuple[str, ...] = attrs.field(metadata=FILE_WITHIN)
    most: int = 10


PROGRAM = """
(defn ^:delegation :remote "far" told [x :string] :string "own body")
(defn main [what] [(call :fs.read "a") (if (= what "") nil (call what "a")) (told "x")])
"""
CONFIG = """
[security]
grant = [{{ id = "fs.read", roots = {roots} }}, "fs.*", "acme.*"]
{more}
[budgets.day]
calls = {calls}
"""
NARROW = CONFIG.format(roots='["data"]', calls=100, more="")


@attrs.define
class Bench:
    """Draws a manifest of a program, and opens sessions that are held to it."""

    kit: object
    effects: tuple[str, ...] = ("file-read",)
    who: str = "acme-plugin"
    text: str = PROGRAM
    engine: object = None

    def catalog(self) -> Catalog:
        def entry(id_, **more):
            return CapabilityEntry(id=id_, summary="A fake.", handler=lambda _: id_, **more)

        offered = (
            entry("fs.read", effects=self.effects, grant=Roots, aliases=("ccos.file.read",)),
            entry("fs.list", names=("ls",)),
            entry("acme.echo"),
        )
        made = self.kit.catalog(
            self.kit.provider("far", lambda _: "far", remote=True),
            self.kit.provider("near", lambda _: "near"),
            engine=self.engine,
            capabilities=offered,
        )
        who = Provenance(self.who, "1", "acme")
        return attrs.evolve(
            made,
            capabilities={each.id: (each, who) for each in offered},
            aliases={"ccos.file.read": "fs.read"},
        )

    @property
    def program(self) -> Source:
        path = self.kit.home / "p.rtfs"
        path.write_text(self.text, encoding="utf-8")
        return Source(str(path), self.text)

    def draw(self, config=NARROW, **options):
        with self.open(config, signed=False, journal=False) as session:
            drawn = draw(session.host, self.program, session.limits, **options)
        (self.kit.home / "m.toml").write_text(drawn.text, encoding="utf-8")
        return drawn.manifest

    def open(self, config=NARROW, *, signed=True, **options):
        more = {"manifest": self.kit.home / "m.toml"} if signed else {}
        return self.kit.open(self.catalog(), config, program_dir=self.kit.home, **more, **options)

    def run(self, *args, config=NARROW, entry="main"):
        with self.open(config) as session:
            return session.run(self.program, args, entry=entry).value

    def refused(self, *args, config=NARROW):
        """Return code and message of a run that is refused."""
        with pytest.raises(ProgramError) as caught:
            self.run(*args, config=config)
        return caught.value.value

    def never_begins(self, config=NARROW):
        with pytest.raises(ConfigError) as caught:
            self.run("", config=config)
        return caught.value.diagnostics


@pytest.fixture
def bench(kit):
    return Bench(kit)


def test_what_was_signed_runs(bench):
    manifest = bench.draw()
    assert bench.run("") == ("fs.read", None, "far")
    assert [(each.id, each.effects, each.offered_by) for each in manifest.capability] == [
        ("fs.read", ("file-read",), "acme-plugin")
    ]
    assert manifest.capability[0].grant[0].allows == {"roots": ["data"], "most": 10}
    assert manifest.targets == {"remote-far": {"plugin": "far", "offered_by": "acme-plugin"}}
    assert manifest.budgets["day"]["calls"] == 100


def test_it_is_canonical_and_reads_back(bench):
    first = bench.draw()
    assert bench.draw() == first
    assert read_manifest(bench.kit.home / "m.toml").checksum == first.checksum


@pytest.mark.parametrize("called", ["fs.list", "acme.echo", "host.sleep", "host.checkpoint"])
def test_a_capability_that_is_not_listed_is_refused_though_it_is_granted(bench, called):
    bench.draw()
    found = bench.refused(called)
    assert found.kind == "SecurityViolation"
    assert "E0710" in str(found.data)
    assert "it is not in the manifest m.toml" in found.message
    assert f"rtfs manifest FILE --allow {called} --out m.toml" in found.message


@pytest.mark.parametrize("called", ["fs.read", "ccos.file.read"])
def test_every_id_of_what_is_listed_may_be_called(bench, called):
    bench.draw()
    assert bench.run(called) == ("fs.read", "fs.read", "far")


def test_a_free_name_and_a_level_that_grants_all_open_nothing(bench):
    bench.text = '(defn main [_] (ls "a"))'
    bench.draw(any_program=True)
    bench.text = '(defn main [_] (call :acme.echo "a"))'
    full = '[security]\nlevel = "full"\n[budgets.day]\ncalls = 100\n'
    assert "not in the manifest" in bench.refused("", config=full).message


def test_whoever_signs_may_allow_what_a_program_computes(bench):
    bench.draw(allow=("acme.echo",))
    assert bench.run("acme.echo") == ("fs.read", "acme.echo", "far")
    assert "not in the manifest" in bench.refused("fs.list").message


def test_what_is_listed_must_still_be_granted(bench):
    bench.draw(allow=("acme.echo",))
    config = NARROW.replace(', "acme.*"', "")
    assert "not granted" in bench.refused("acme.echo", config=config).message


@pytest.mark.parametrize(
    ("config", "where", "said"),
    [
        (
            CONFIG.format(roots='["data", "more"]', calls=100, more=""),
            "grant",
            "a grant of 'fs.read' is not among those",
        ),
        (CONFIG.format(roots='["/"]', calls=100, more=""), "grant", "a grant of 'fs.read' is not among those"),
        (CONFIG.format(roots='["data"], most = 11', calls=100, more=""), "grant", '"most": 11'),
        (CONFIG.format(roots='["data"]', calls=200, more=""), "day", "the budget 'day' is another one now: calls"),
        (NARROW.replace("calls = 100", "tokens = 5"), "day", "the budget 'day' is another one now: calls"),
        (NARROW.replace("[budgets.day]", "[budgets.other]"), "day", "the budget 'day' is gone"),
    ],
)
def test_no_run_begins_where_the_configuration_allows_more(bench, config, where, said):
    bench.draw()
    found = bench.never_begins(config)
    assert {each.code for each in found} == {"E0731"}
    assert said in found[0].message
    assert found[0].source.name.endswith("m.toml")
    assert where in found[0].source.text[found[0].span.start - 1 : found[0].span.end + 200]
    assert "rtfs manifest FILE --out m.toml" in found[0].help


def test_a_table_more_is_wider_and_one_less_is_not(bench):
    two = NARROW.replace('"fs.*"', '{ id = "fs.read", roots = ["other"] }, "fs.*"')
    bench.draw(two)
    assert bench.run("") == ("fs.read", None, "far")
    bench.draw()
    assert [each.code for each in bench.never_begins(two)] == ["E0731"]


@pytest.mark.parametrize("amount", ["50", "100"])
def test_what_is_narrower_runs(bench, amount):
    bench.draw()
    assert bench.run("", config=NARROW.replace("calls = 100", f"calls = {amount}\ntokens = 100000")) == (
        "fs.read",
        None,
        "far",
    )


def test_relative_roots_that_begin_elsewhere_are_wider(bench):
    bench.draw()
    folder = bench.kit.home / "elsewhere"
    folder.mkdir()
    (folder / "own.toml").write_text(NARROW, encoding="utf-8")
    found = bench.never_begins(folder / "own.toml")
    assert "from the folder elsewhere" in found[0].message


def test_a_plugin_that_does_more_or_is_another_is_refused(bench):
    bench.draw()
    bench.effects = ("file-read", "network")
    assert "'fs.read' has more effects now: network" in bench.never_begins()[0].message
    bench.effects, bench.who = (), "mallory"
    assert "offered by mallory now, and not by acme-plugin" in bench.never_begins()[0].message
    bench.who = "acme-plugin"
    assert bench.run("") == ("fs.read", None, "far")


def test_a_quota_that_is_larger_or_gone_is_refused(bench):
    bench.draw(NARROW + "[security.quota]\ncalls = 5\n")
    assert "the quota of calls is larger now, or gone" in bench.never_begins()[0].message
    assert bench.never_begins(NARROW + "[security.quota]\ncalls = 6\n")[0].code == "E0731"
    assert bench.run("", config=NARROW + "[security.quota]\ncalls = 4\n") == ("fs.read", None, "far")


def test_another_text_is_refused_before_anything_runs(bench):
    bench.draw()
    bench.text = PROGRAM.replace('"x"', '"y"')
    (found,) = bench.never_begins()
    assert found.code == "E0731"
    assert "signed off for another text: p.rtfs, or a module of it, has changed" in found.message


def test_another_text_of_a_module_is_refused(bench):
    module = bench.kit.home / "util.rtfs"
    module.write_text('(module util (:exports [f]) (defn f [] (call :fs.read "a")))')
    bench.text = "(import util) (defn main [_] (util/f))"
    manifest = bench.draw()
    assert list(manifest.modules) == ["util.rtfs"]
    assert bench.run("") == "fs.read"
    module.write_text('(module util (:exports [f]) (defn f [] (call :fs.read "b")))')
    assert [each.code for each in bench.never_begins()] == ["E0731"]


def test_any_program_is_bounded_alike(bench):
    bench.draw(any_program=True)
    bench.text = PROGRAM.replace('"x"', '"y"')
    assert bench.run("") == ("fs.read", None, "far")
    assert "not in the manifest" in bench.refused("acme.echo").message


UNLISTED = "remote-far is not in the manifest m.toml"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ('(defn ^:delegation :remote "far" told [x :string] :string "own") (defn main [_] (told "x"))', ""),
        (
            '(defn told [x :string] :string "own") (defn main [_] (told "x"))',
            '[delegation.static_routes]\ntold = "remote-far"\n',
        ),
        (
            '(defn told [x :string] :string "own") (defn main [_] (told "x"))',
            '[delegation]\ndefault_target = "remote-far"\n',
        ),
    ],
    ids=["hint", "route", "default"],
)
def test_a_target_that_is_not_listed_is_refused(bench, text, more):
    bench.text = "(defn main [_] 1)"
    bench.draw(any_program=True)
    bench.text = text
    found = bench.refused("", config=NARROW + more)
    assert found.kind == "SecurityViolation"
    assert UNLISTED in found.message
    assert not bench.kit.providers["far"].requests


def test_an_engine_cannot_go_beyond_it(bench, fake_engine):
    bench.text = "(defn main [_] 1)"
    bench.engine = fake_engine(RemoteModel("far"), ("told",))
    bench.draw(any_program=True)
    bench.text = '(defn told [x :string] :string "own") (defn main [_] (told "x"))'
    assert UNLISTED in bench.refused("").message
    assert not bench.kit.providers["far"].requests
    assert list(bench.draw().targets) == ["remote-far"]
    assert bench.run("") == "far"


def test_a_route_goes_on_to_a_target_that_is_listed(bench):
    bench.text = '(defn told [x :string] :string "own") (defn main [_] (told "x"))'
    bench.draw(NARROW + '[delegation.static_routes]\ntold = "local-near"\n', any_program=True)
    both = NARROW + '[delegation.static_routes]\ntold = ["remote-far", "local-near"]\n'
    assert bench.run("", config=both) == "near"
    assert list(bench.draw(both).targets) == ["local-near", "remote-far"]


def test_the_run_says_which_manifest_it_is_held_to_and_keeps_to_it_when_it_is_gone_on_with(bench):
    bench.text = '(defn main [what] (do (host/wait-for :go) (call what "a")))'
    manifest = bench.draw(allow=("fs.list",))
    for called, outcome in (("fs.list", "fs.list"), ("acme.echo", "not in the manifest")):
        with bench.open() as session:
            session.park()
            with suppress(RunParked):
                session.run(bench.program, (called,), entry="main")
        run = find_run(bench.kit.journal, "last")
        assert show_run(bench.kit.journal, run)[0].manifest == manifest.checksum
        with bench.open(signed=False) as session:
            _signal(session, run)
            if outcome == called:
                assert session.resume(Resuming(run=run)).value == outcome
            else:
                with pytest.raises(ProgramError, match=outcome):
                    session.resume(Resuming(run=run))


def _signal(session, run):
    tell(session.host.journal, run, "signalled", {"name": "go"}, value_text(None))


def test_a_run_without_one_says_nothing_of_it(bench):
    with bench.open(signed=False) as session:
        session.run(bench.program, ("",), entry="main")
    assert show_run(bench.kit.journal, find_run(bench.kit.journal, "last"))[0].manifest == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version = 2\nprogram = 'p'\nany_program = true\n", "E0705"),
        ("version = 1\nprogram = 'p'\n", "E0704"),
        ("version = 1\nprogram = 'p'\nany_program = true\ntarget = []\n", "E0702"),
        ("version = ", "E0701"),
    ],
)
def test_a_file_that_is_no_manifest_is_refused_with_its_place(bench, text, code):
    bench.draw()
    (bench.kit.home / "m.toml").write_text(text)
    found = bench.never_begins()
    assert [each.code for each in found] == [code]
    assert found[0].source.name.endswith("m.toml")


def test_a_pinned_plan_cannot_go_beyond_it(bench, fake_engine):
    bench.text = '(defn told [x :string] :string "own") (defn main [_] (told "x"))'
    bench.engine = fake_engine(RemoteModel("far"), ("told",))
    with bench.open(signed=False, journal=False) as session:
        plan = session.plan(bench.program).text
    assert 'target = "remote-far"' in plan
    (bench.kit.home / "p.rtfs.plan.toml").write_text(plan)
    bench.draw()
    with bench.open(plan=bench.kit.home / "p.rtfs.plan.toml") as session:
        assert session.run(bench.program, ("",), entry="main").value == "far"
    text, bench.text = bench.text, "(defn main [_] 1)"
    bench.draw(any_program=True)
    bench.text = text
    with bench.open(plan=bench.kit.home / "p.rtfs.plan.toml") as session, pytest.raises(ProgramError) as caught:
        session.run(bench.program, ("",), entry="main")
    assert UNLISTED in caught.value.value.message


FALLING = """
(defn ^:delegation :remote "far" told [x :string] :string "own")
(defn main [_] ^{:runtime.learning.fallback {:capability "acme.echo"}} (told "x"))
"""


def test_a_capability_that_a_hint_falls_back_to_must_be_listed(bench):
    bench.text = FALLING
    manifest = bench.draw()
    assert [each.id for each in manifest.capability] == ["acme.echo"]
    assert bench.run("") == "far"
    bench.text = "(defn main [_] 1)"
    bench.draw(any_program=True)
    bench.text = FALLING
    assert "not in the manifest" in bench.refused("").message


def test_nothing_is_asked_beside_it(bench):
    bench.draw()
    with bench.open() as session:
        assert (session.host.warming, session.host.judging) == (None, None)
        assert session.authorizer.authorize_capability("acme.echo") is not None
