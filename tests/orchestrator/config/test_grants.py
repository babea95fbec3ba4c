"""Grants with arguments: read with their places, as a plug-in declares; and what others may say of them."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from rtfs_framework.api import CapabilityEntry, CapabilityGrant, CapabilitySetEntry, ConfigError, RtfsError
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.collect import aliases_of
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1.2", "acme")


@attrs.frozen(slots=True, kw_only=True)
class Roots:
    """What a grant of files says."""

    roots: tuple[str, ...]
    most: int = 10


@attrs.frozen(slots=True, kw_only=True)
class Usual:
    """What a grant may say, and need not."""

    most: int = 10


def entry(id_, grant=None, aliases=(), names=()):
    def handler(request):
        return tuple((each.own.most, tuple(getattr(each.own, "roots", ()))) for each in request.grants)

    return CapabilityEntry(id=id_, summary="A fake.", handler=handler, grant=grant, aliases=aliases, names=names)


def catalog(*entries, sets=()):
    return Catalog(
        capabilities={each.id: (each, WHO) for each in entries},
        capability_sets={each.name: (each, WHO) for each in sets},
        function_names={name: each.id for each in entries for name in each.names},
        aliases={alias: each.id for each in entries for alias in each.aliases},
    )


FILES = catalog(entry("fs.read", Roots, ("ccos.file.read",), ("slurp",)), entry("log", Usual), entry("ccos.echo"))


def opened(kit, text, offered=FILES, **options):
    return kit.open(offered, text, **options)


def mistakes(kit, text, offered=FILES):
    with pytest.raises(ConfigError) as caught:
        opened(kit, text, offered).close()
    return [(each.code, each.message, each.source.place(each.span.start)) for each in caught.value.diagnostics]


def refusal(session, program):
    with pytest.raises(RtfsError) as caught:
        session.run(program)
    return caught.value


def test_a_table_is_read_as_its_plug_in_declares_and_handed_over(kit):
    text = '[security]\ngrant = ["ccos.echo", { id = "fs.read", roots = ["./data", "b"], most = 3 }]\n'
    with opened(kit, text) as session:
        assert session.host.config.security.grant == ("ccos.echo", "fs.read")
        (found,) = session.host.config.security.arguments
        assert found.grant == CapabilityGrant(Roots(roots=("./data", "b"), most=3), str(kit.home))
        assert session.run('(call :fs.read "x")').value == ((3, ("./data", "b")),)


@pytest.mark.parametrize("called", ['(call :fs.read "x")', '(call :ccos.file.read "x")', '(slurp "x")'])
@pytest.mark.parametrize("granted", ["fs.read", "ccos.file.read"])
def test_a_grant_of_one_id_grants_all_of_a_capability(kit, granted, called):
    with opened(kit, f'[security]\ngrant = [{{ id = "{granted}", roots = ["a"] }}]\n') as session:
        result = session.run(called)
        assert result.value == ((10, ("a",)),)
        assert [each.target for each in result.calls] == ["capability fs.read"]


@pytest.mark.parametrize("called", ['(call :fs.read "x")', '(call :ccos.file.read "x")', '(slurp "x")'])
@pytest.mark.parametrize("denied", ["fs.read", "ccos.file.read", "ccos.file.*", "fs.*"])
def test_a_denial_of_one_id_denies_all_of_a_capability(kit, denied, called):
    text = f'[security]\ngrant = [{{ id = "fs.read", roots = ["a"] }}]\ndeny = ["{denied}"]\n'
    with opened(kit, text) as session:
        assert f"denied by '{denied}'" in str(refusal(session, called))


def test_several_tables_of_one_capability_are_all_handed_over(kit):
    text = (
        '[security]\ngrant = [{ id = "fs.read", roots = ["a"] }, { id = "ccos.file.read", roots = ["b"], most = 1 }]\n'
    )
    with opened(kit, text) as session:
        assert session.run('(call :fs.read "x")').value == ((10, ("a",)), (1, ("b",)))


def test_a_bare_name_grants_what_is_usual(kit):
    with opened(kit, '[security]\ngrant = ["log"]\n') as session:
        assert session.run('(call :log "x")').value == ((10, ()),)


def test_a_tenant_s_grants_are_added(kit):
    text = (
        '[security]\ngrant = [{ id = "fs.read", roots = ["a"] }]\n'
        '[tenants.acme]\ngrant = [{ id = "fs.read", roots = ["b"] }]\n[tenants.other]\n'
    )
    with opened(kit, text, tenant="acme") as session:
        assert session.run('(call :fs.read "x")').value == ((10, ("a",)), (10, ("b",)))
    with opened(kit, text, tenant="other") as session:
        assert session.run('(call :fs.read "x")').value == ((10, ("a",)),)


@pytest.mark.parametrize(
    ("item", "code", "words", "column"),
    [
        ('"fs.read"', "E0704", "'fs.read' is granted by what it may reach, and nothing is said of that", 10),
        ('"ccos.file.read"', "E0704", "'ccos.file.read' is granted by what it may reach", 10),
        ("{ roots = [] }", "E0704", "the key 'id' is missing", 10),
        ('{ id = "fs.*", roots = [] }', "E0705", "a grant with arguments names one capability", 17),
        ("{ id = 3 }", "E0705", "a grant with arguments names one capability", 17),
        ('{ id = "fs.read", root = ["a"] }', "E0702", "unknown key 'root'", 28),
        ('{ id = "fs.read", roots = [1] }', "E0703", "", None),
        ('{ id = "fs.read" }', "E0704", "roots", None),
        ('{ id = "ccos.echo", roots = [] }', "E0702", "a grant of 'ccos.echo' has no key 'roots'", 30),
    ],
)
def test_what_is_wrong_with_a_grant_is_told_with_its_place(kit, item, code, words, column):
    found = mistakes(kit, f"[security]\ngrant = [{item}]\n")
    assert [(each_code, words in message) for each_code, message, _ in found if each_code == code][:1] == [(code, True)]
    if column is not None:
        assert any(tuple(place)[:2] == (2, column) for _, _, place in found), found


@pytest.mark.parametrize("rules", ['level = "full"', 'grant = ["*"]', 'grant = ["fs.*"]'])
def test_who_may_do_all_still_says_what_may_be_reached(kit, rules):
    with opened(kit, f"[security]\n{rules}\n") as session:
        error = str(refusal(session, '(call :fs.read "x")'))
        assert "nothing is said of what it may reach" in error
        assert 'grant = [{ id = "fs.read", roots = ... }]' in error


def test_a_pattern_beside_a_table_grants_what_the_table_says(kit):
    with opened(kit, '[security]\ngrant = ["fs.*", { id = "fs.read", roots = ["a"] }]\n') as session:
        assert session.run('(call :fs.read "x")').value == ((10, ("a",)),)


@pytest.mark.parametrize(
    "theirs",
    [
        '["fs.read"]',
        '[{ id = "fs.read", roots = ["a"] }]',
        '[{ id = "fs.read", roots = ["/"] }]',
        '["ccos.echo"]',
        '["*"]',
    ],
)
def test_a_file_that_nobody_trusts_says_nothing_of_arguments(kit, theirs):
    """Neither wider roots, nor the same ones from its own folder, nor a bare name in place of what was said."""
    repo, home = kit.home / "repo", kit.home / "own"
    repo.mkdir()
    home.mkdir()
    (repo / "delegation.toml").write_text(f"[security]\ngrant = {theirs}\n", encoding="utf-8")
    own = '[security]\ngrant = [{ id = "fs.read", roots = ["a"] }]\n'
    (home / "delegation.toml").write_text(own, encoding="utf-8")
    options = {"program_dir": repo, "environ": {"RTFS_HOME": str(home)}}
    with Session.open(catalog=FILES, **options) as session:
        (found,) = session.host.config.security.arguments
        assert (found.grant.own.roots, Path(found.grant.base)) == (("a",), home)
        assert session.host.config.security.grant == ("fs.read",)


def test_a_table_of_what_nobody_offers_is_a_warning(kit):
    with opened(kit, '[security]\ngrant = [{ id = "gone", roots = ["a"] }]\n') as session:
        assert [each.message for each in session.host.config.notices if each.code == "E0708"] == [
            "grant 'gone' fits no capability of an installed plug-in"
        ]


class Counter:
    """A set whose capabilities share a number."""

    def __init__(self, settings):
        self.settings, self.count, self.closed = settings, 0, 0

    def entries(self):
        def add(request):
            self.count += request.args[0]
            return (self.count, self.settings.own.start, [each.own.most for each in request.grants] and None)

        return [
            CapabilityEntry(
                id="count.add", summary="Add.", handler=add, aliases=("add",), names=("add-up",), grant=Usual
            )
        ]

    def close(self):
        self.closed += 1


@attrs.frozen(slots=True, kw_only=True)
class Start:
    """The settings of the counter."""

    start: int = 1


def counting(made, **more):
    def factory(settings):
        made.append(Counter(settings))
        return made[-1]

    return CapabilitySetEntry(
        name="counter", summary="A fake.", factory=factory, settings=Start, ids=("count.*",), grant=Usual, **more
    )


def test_a_set_is_made_with_its_host_and_closed_with_it(kit):
    made = []
    text = '[security]\ngrant = [{ id = "count.add", most = 2 }]\n[capabilities.counter]\nstart = 5\n'
    with opened(kit, text, catalog(sets=[counting(made)])) as session:
        assert session.run("[(call :count.add 1) (call :add 2) (add-up 3)]").value == (
            (1, 5, None),
            (3, 5, None),
            (6, 5, None),
        )
        assert (len(made), made[0].closed, made[0].settings.base) == (1, 0, str(kit.home))
        assert session.host.config.notices == ()
    assert made[0].closed == 1


@pytest.mark.parametrize(
    "grant",
    ['{ id = "count.add", most = 2 }, "add"', '{ id = "add", most = 2 }, "count.add"', '{ id = "add", most = 2 }'],
)
def test_another_id_of_what_a_set_offers_is_granted_with_its_own(kit, grant):
    """Before the set is made, too: a bare name beside a table says nothing more."""
    offered = attrs.evolve(counting([]), ids=("count.*", "add"), aliases={"add": "count.add"}, grant=Roots)
    text = f"[security]\ngrant = [{grant.replace('most = 2', 'roots = []')}]\n"
    with opened(kit, text, catalog(sets=[offered])) as session:
        assert [each.id for each in session.host.config.security.arguments] == ["count.add"]
        assert session.authorizer.authorize_capability("add") is None
    with (
        pytest.raises(ConfigError, match="is granted by what it may reach"),
        opened(kit, '[security]\ngrant = ["add"]\n', catalog(sets=[offered])),
    ):
        pass


class Nothing(Counter):
    """A set without capabilities."""

    def entries(self):
        return []


def test_ids_of_a_set_within_another_s_pattern_are_its_own(kit):
    wide = CapabilitySetEntry(name="a", summary="A fake.", factory=Nothing, ids=("c*", "x*"), grant=Roots)
    text = '[security]\ngrant = [{ id = "count.add", most = 2 }]\n'
    with opened(kit, text, catalog(sets=[wide, counting([])])) as session:
        assert session.run("(call :count.add 1)").value == (1, 1, None)


def wanting(*entries, sets=()):
    """Return a catalog whose aliases are those of the registry."""
    return attrs.evolve(catalog(*entries, sets=sets), aliases=aliases_of({each.id: each for each in entries}))


@pytest.mark.parametrize("other", [entry("b.read", aliases=("old.read",)), entry("old.read")], ids=["alias", "id"])
@pytest.mark.parametrize(
    "text",
    ['deny = ["old.read"]', 'deny = ["old.*"]', 'acl = { "old.read" = ["somebody"] }'],
    ids=["denied", "pattern", "kept"],
)
def test_what_is_said_against_an_alias_holds_though_another_wants_it(kit, text, other):
    offered = wanting(entry("a.read", aliases=("old.read",)), other)
    with opened(kit, f'[security]\ngrant = ["*"]\n{text}\n', offered) as session:
        assert "old." in str(refusal(session, "(call :a.read)"))
        assert refusal(session, f"(call :{other.id})").kind == "SecurityViolation"


def test_a_grant_by_an_alias_that_several_want_grants_nobody(kit):
    offered = wanting(entry("a.read", aliases=("old.read",)), entry("b.read", aliases=("old.read",)))
    with opened(kit, '[security]\ngrant = ["old.read"]\n', offered) as session:
        assert "not granted" in str(refusal(session, "(call :a.read)"))
        assert "Unknown capability: old.read" in str(refusal(session, "(call :old.read)"))


def test_an_alias_that_a_set_wants_too_is_told_and_still_denied(kit):
    offered = wanting(entry("a.read", aliases=("add",)), sets=[counting([])])
    with opened(kit, '[security]\ngrant = ["*"]\ndeny = ["add"]\n', offered) as session:
        assert "denied by 'add'" in str(refusal(session, "(call :a.read)"))
        assert "denied by 'add'" in str(refusal(session, "(call :count.add 1)"))
        assert any("capability alias `add` is offered" in each.message for each in session.problems)


def test_a_set_that_is_switched_off_is_not_made(kit):
    made = []
    with opened(kit, "[capabilities.counter]\nenabled = false\n", catalog(sets=[counting(made)])) as session:
        assert "Unknown capability: count.add" in str(refusal(session, "(call :count.add 1)"))
    assert made == []


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("[capabilities.countr]\n", "E0706", "no set of capabilities is called 'countr'"),
        ("[capabilities.counter]\nstrat = 1\n", "E0702", "unknown key 'strat'"),
        ('[capabilities.counter]\nstart = "x"\n', "E0703", "start"),
    ],
)
def test_what_is_wrong_with_a_set_s_table_is_told(kit, text, code, words):
    found = mistakes(kit, text, catalog(sets=[counting([])]))
    assert [(each_code, words in message) for each_code, message, _ in found] == [(code, True)]


def _raising(_settings):
    raise OSError("disk on fire")


class Odd(Counter):
    def __init__(self, settings, found):
        super().__init__(settings)
        self.found = found

    def entries(self):
        return self.found


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (_raising, "disk on fire"),
        (lambda _settings: None, "has no `entries`"),
        (lambda settings: Odd(settings, ["mine"]), "no CapabilityEntry"),
        (lambda settings: Odd(settings, [entry("a"), entry("a")]), "one id twice"),
        (lambda settings: Odd(settings, [entry("taken")]), "offers already"),
        (lambda settings: Odd(settings, 3), "`entries`"),
        (lambda settings: Odd(settings, [attrs.evolve(entry("a"), aliases="b")]), "whose `aliases`"),
    ],
)
def test_a_bad_set_is_told_and_absent(kit, factory, words):
    broken = CapabilitySetEntry(name="bad", summary="A fake.", factory=factory)
    with kit.open(catalog(entry("taken"), sets=[broken])) as session:
        problems = [each.message for each in session.host.events.faults.problems]
        assert len(problems) == 1
        assert words in problems[0]
        assert "its capabilities are not there" in problems[0]
        assert session.run("(+ 1 2)").value == 3


@pytest.mark.parametrize("name", ["..", "/tmp/x"])
def test_a_set_whose_name_is_no_folder_is_not_made_by_whoever_offers_it(kit, name):
    made = []
    broken = CapabilitySetEntry(name=name, summary="A fake.", factory=made.append, keeps_files=True)
    with kit.open(catalog(sets=[broken])) as session:
        (problem,) = session.host.events.faults.problems
    assert "which is none of a folder" in problem.message
    assert made == []


def test_a_set_that_cannot_be_closed_holds_nothing_up(kit):
    class Stuck(Counter):
        def close(self):
            raise OSError("busy")

    session = kit.open(
        catalog(sets=[CapabilitySetEntry(name="stuck", summary="A fake.", factory=Stuck, settings=Start)])
    )
    session.close()
    assert "busy" in session.host.events.faults.problems[0].message


def test_a_table_by_an_alias_of_a_set_s_capability_grants_it_and_the_prelude_knows_it(kit):
    made = []

    class Fetching(Counter):
        def entries(self):
            def fetch(request):
                return request.grants[0].own.most

            aliases = ("ccos.network.http-fetch",)
            return [CapabilityEntry(id="get", summary="Get.", handler=fetch, aliases=aliases, grant=Usual)]

    def factory(settings):
        made.append(Fetching(settings))
        return made[-1]

    offered = CapabilitySetEntry(
        name="web", summary="A fake.", factory=factory, ids=("get", "ccos.network.http-fetch"), grant=Usual
    )
    text = '[security]\ngrant = [{ id = "ccos.network.http-fetch", most = 2 }]\n'
    with opened(kit, text, catalog(sets=[offered])) as session:
        assert session.run('[(call :get "a") (call :ccos.network.http-fetch "a") (http-fetch "a")]').value == (2, 2, 2)
