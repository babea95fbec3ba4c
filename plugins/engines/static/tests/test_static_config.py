"""The rules as `delegation.toml` writes them: what is refused, and where; what a configuration makes of calls."""

from __future__ import annotations

import pytest

from rtfs_framework.api import ConfigError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.session import Session

pytestmark = pytest.mark.needs("rtfs-provider-echo")

HEAD = '[delegation]\nengine = "static"\n[delegation.local_models.small]\nprovider = "echo"\n'


@pytest.fixture
def opened(tmp_path):
    """Return a function that opens a session with a configuration."""

    def load(text):
        file = tmp_path / "delegation.toml"
        file.write_text(HEAD + text, encoding="utf-8")
        environ = {"RTFS_PLUGINS": "static,echo", "RTFS_HOME": str(tmp_path / "home")}
        return Session.open(config_path=file, environ=environ)

    return load


REFUSED = [
    # the rule, the code, what is said, what stands at the place, the way out
    ('symbols = "f"\nto = "local-smal"', "E0706", "no local model 'smal'", '"local-smal"', "'local-small'?"),
    ('symbols = "f"\nto = ["local-small", "cloud"]', "E0706", "'cloud' is no target", '"cloud"', "known targets"),
    ('symbols = "f"\nto = []', "E0705", "'to' names nothing", "[]", "leave it out"),
    ('symbols = ""\nto = "local-small"', "E0705", "'symbols' names nothing", '""', "symbols = "),
    ('symbols = "f"', "E0705", "says not where calls go", "[[engines.static.rules]]", "to = "),
    ('symbols = "f"\nto = "local-small"\ndeny = "no"', "E0705", "exclude each other", '"no"', "one of"),
    ('symbols = "f"\nask = "boss"\ndeny = "no"', "E0705", "'ask' and deny exclude each other", '"boss"', "leave one"),
    ('to = "local-small"', "E0704", "the key 'symbols' is missing", "[[engines.static.rules]]", "symbols"),
    ('symbols = "f"\nto = "local-small"\ntenants = "a"', "E0702", "unknown key 'tenants'", "tenants", "did you mean"),
    ('symbols = "f"\nto = "local-small"\ntypes = [":int", "[:vektor :int]"]', "E0705", "unknown type constructor",
     '"[:vektor :int]"', "did you mean 'vector'?"),
    ('symbols = "f"\nto = "local-small"\ntypes = [":number"]', "E0705", "no type is called number", '":number"',
     "[:union :int :float]"),
    ('symbols = "f"\nto = "local-small"\ntypes = ["& :int", ":int"]', "E0705", "goes on after `& T`",
     '["& :int", ":int"]', "comes last"),
    ('symbols = "f"\nto = "local-small"\nmax_size = 300', "E0705", "the size of a band", "300", "write 256"),
    ('symbols = "f"\nto = "local-small"\nmin_size = 1024\nmax_size = 256', "E0705", "above max", "1024", "exchange"),
    ('symbols = "f"\nto = "local-small"\nmin_confidence = 7', "E0705", "min_confidence", "7", ""),
    ('symbols = "f"\nto = "local-small"\nmax_latency = "fast"', "E0703", "max_latency", '"fast"', ""),
    ('symbols = "f"\nto = "local-small"\nmax_input_cost = -1', "E0705", "max_input_cost", "-1", ""),
    ('symbols = "f"\nto = "local-small"\n[[engines.static.rules]]\nsymbols = ["g", "f"]\nto = "local-pure"', "E0705",
     "the rule 2 never decides, for rule 1 asks the same of `f`", "[[engines.static.rules]]", "add a condition"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "code", "said", "marked", "way_out"), REFUSED)
def test_a_bad_rule_is_refused_at_its_place(opened, rule, code, said, marked, way_out):
    with pytest.raises(ConfigError) as raised:
        opened(f"[[engines.static.rules]]\n{rule}\n")
    (found,) = raised.value.diagnostics
    assert found.code == code
    assert said in found.message
    assert way_out in (found.help or "")
    at = found.source.text[found.span.start : found.span.end]
    assert at in marked
    assert at


def test_every_mistake_of_the_rules_is_told(opened):
    rule = '[[engines.static.rules]]\nsymbols = "f"\nto = "local-small"\nmax_size = 3\ntypes = [":in"]\n'
    with pytest.raises(ConfigError) as raised:
        opened(rule + rule)
    assert len(raised.value.diagnostics) == 4


PROGRAM = Source("p.rtfs", '(defn f [x] :own) (defn main [x] [(f 1) (f "x")])')


def test_a_rule_decides_by_the_types_of_a_call(opened):
    rules = '[[engines.near.rules]]\nsymbols = "f"\ntypes = [":int"]\nto = "local-small"\n'
    text = f'[engines.near]\nplugin = "static"\n{rules}'
    with opened(text.replace("[delegation]", "")) as session:
        assert session.host.config.engine.name == "static"  # another instance stays out unless it is named
    with opened(f"[engines.static]\n{rules.replace('near', 'static')}") as session:
        result = session.run(PROGRAM, (1,))
    targets = [call.target for call in result.calls]
    assert targets == ["local-model small", "local-pure"]
    assert "'rule 1' of the symbol `f`" in result.calls[0].decision.plan.reasoning


def test_conditions_of_who_asks_hold_in_a_host(opened):
    rules = '[[engines.static.rules]]\nsymbols = "f"\nintent = "triage"\nto = "local-small"\n'
    program = '(defn ^{:intent "triage"} f [x] :own) (defn g [x] :own) (defn main [x] (f x))'
    with opened(rules) as session:
        assert session.run(Source("p.rtfs", program), (1,)).calls[0].target == "local-model small"
        assert session.run(Source("q.rtfs", program.replace("triage", "draft")), (1,)).calls[0].target == "local-pure"


def test_rules_are_shown_as_they_are_written(opened):
    from rtfs_framework.cli.shown.settings import settings_of

    rule = 'symbols = "f"\nname = "near"\ntypes = [":int", "& :any"]\nto = ["local-small"]\nmax_size = 64\n'
    with opened(f"[[engines.static.rules]]\n{rule}") as session:
        shown = {each.key: each for each in settings_of(session.host.config, session.host.catalog, {})}
    assert shown["engines.static.rules"].value == [
        {"symbols": "f", "name": "near", "types": [":int", "& :any"], "to": ["local-small"], "max_size": 64}
    ]
    assert '"types": [":int"' in shown["engines.static.rules"].text
