"""In a host: granted by its configuration, kept over sessions, apart for tenants, with the marks of the run."""

from __future__ import annotations

import pytest

from rtfs_capability_kv.plugin import rtfs_capability_sets
from rtfs_framework.api import ConfigError, RtfsError, write
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("rtfs-capability-kv", "0.1", "rtfs_capability_kv")
CATALOG = Catalog(capability_sets={entry.name: (entry, WHO) for entry in rtfs_capability_sets()})


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Return a function that opens a session with a configuration."""
    monkeypatch.chdir(tmp_path)

    def load(text, **options):
        path = tmp_path / "delegation.toml"
        path.write_text(text, encoding="utf-8")
        environ = {"RTFS_HOME": str(tmp_path)}
        return Session.open(catalog=CATALOG, config_path=path, environ=environ, **options)

    return load


ALL = '[security]\ngrant = ["kv.*"]\n'


def test_what_is_put_is_there_in_the_next_session_under_every_name(opened):
    with opened(ALL) as session:
        assert write(session.run('(kv/assoc! "cart" :apples 2)').value) == "{:apples 2}"
        session.run("(call :ccos.state.kv.put :cart/n 1)")
    with opened(ALL) as session:
        assert session.run('(:apples (call :ccos.state.kv.get "cart"))').value == 2
        assert session.run("[(call :ccos.state.counter.inc :cart/n 2) (call :kv.get :cart/n)]").value == (3, 3)


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ('(call :ccos.state.kv.put {:key "b"})', "InvalidArgument"),
        ('(call :ccos.state.kv.put {:key "b" "key" "a" :value 1})', "InvalidArgument"),
        ('(call :ccos.state.kv.put {:key "b" :value 1 :ttl 3})', "InvalidArgument"),
        ('(call :ccos.state.kv.put "b")', "ArityMismatch"),
        ('(call :ccos.state.kv.put "b" 1 2)', "ArityMismatch"),
        ('(call :ccos.state.kv.put {:key "secret" :value 1})', "SecurityViolation"),
        ('(call :ccos.state.kv.get {:key "secret"})', "SecurityViolation"),
        ("(call :ccos.state.kv.get {:key 7})", "TypeValidationError"),
    ],
)
def test_one_map_says_the_same_as_the_arguments_that_it_names(opened, call, kind):
    grant = ", ".join(f'{{ id = "kv.{each}", prefixes = ["a", "b"] }}' for each in ("get", "put"))
    with opened(f"[security]\ngrant = [{grant}]\n") as session:
        session.run('(call :ccos.state.kv.put {:key "a" :value 1})')
        assert session.run('[(call :ccos.state.kv.get {:key "a"}) (call :kv.get {:key :a})]').value == (1, 1)
        with pytest.raises(RtfsError) as found:
            session.run(call)
        assert found.value.kind == kind


def test_a_grant_by_prefix(opened):
    grant = '[security]\ngrant = [{ id = "kv.put", prefixes = ["cart/"] }, { id = "kv.get", prefixes = ["cart/"] }]\n'
    with opened(grant) as session:
        session.run("(call :kv.put :cart/a 1)")
        for program in ('(call :kv.put "other" 1)', '(call :kv.get "other")', '(call :kv.delete "cart/a")'):
            with pytest.raises(RtfsError) as caught:
                session.run(program)
            assert caught.value.kind == "SecurityViolation"


def test_tenants_are_apart(opened):
    text = f"{ALL}[tenants.acme]\n[tenants.other]\n"
    with opened(text, tenant="acme") as session:
        session.run('(call :kv.put "a" 1)')
    with opened(text, tenant="other") as session:
        assert session.run('(call :kv.get "a")').value is None
    with opened(text) as session:
        assert session.run('(call :kv.get "a")').value is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[security]\ngrant = [{ id = "kv.get", prefixes = [] }]\n', "at least one"),
        ('[security]\ngrant = [{ id = "kv.get", prefix = ["a"] }]\n', "prefix"),
        ("[capabilities.kv]\nmost_keys = 0\n", "most_keys"),
        ('[capabilities.kv]\nsync = "never"\n', "not among the choices"),
    ],
)
def test_mistakes_are_told_with_their_place(opened, text, words):
    with pytest.raises(ConfigError) as caught:
        opened(text).close()
    (found,) = caught.value.diagnostics
    assert words in found.message
    assert found.source.place(found.span.start)[0] == 2


LABELS = f"""{ALL}[labels.capabilities]
"kv.read" = ["pii"]
[labels.accepts]
"capability kv.put" = ["pii"]
"""
SAYS = '(let [said (try (do (call :kv.add "m" 9223372036854771807) "no") (catch _ "m is more than 4000"))] {})'


def test_an_error_that_depends_on_a_marked_value_reaches_no_sink_that_takes_no_marks(opened):
    with opened(LABELS) as session:
        session.run('(call :kv.put "m" (+ 4999 (count (call :kv.read ["x"]))))')
    with opened(LABELS) as session:
        with pytest.raises(RtfsError) as caught:
            session.run(SAYS.format("(call :kv.replace said nil 1)"))
        assert (caught.value.kind, "it carries :pii" in str(caught.value)) == ("SecurityViolation", True)
        assert session.run('(call :kv.keys "m is")').value == ()


def test_where_nothing_carries_marks_a_call_that_would_tell_of_marked_values_changes_nothing(opened):
    with opened(LABELS) as session:
        session.run('(call :kv.put "m" (+ 4999 (count (call :kv.read ["x"]))))')
    with opened(ALL) as session:
        said = [session.run(f'(try (call :kv.add "m" {more}) (catch e (str e)))').value for more in (1, 2**63 - 4000)]
    assert said[0] == said[1]
    assert "nothing here carries marks" in said[0]
    with opened(LABELS) as session:
        assert session.run('(call :kv.get "m")').value == 5000
