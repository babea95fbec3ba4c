"""Settings: each mistake with its place and way out; and the recognizers of the extra `pii`."""

from __future__ import annotations

import pytest

from rtfs_engine_security import plugin, recognizers
from rtfs_framework.api import ConfigError
from rtfs_framework.orchestrator.performing.redaction import Redactor
from rtfs_framework.orchestrator.session import Session
from rtfs_framework.registry.catalog import Catalog
from rtfs_framework.registry.discover import FoundPlugin
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("rtfs-engine-security", "0.1", "rtfs_engine_security")
HEAD = '[engines.careful]\nplugin = "security"\nbase = "local-pure"\n'
RULE = f"{HEAD}[[engines.careful.rules]]\n"


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Return a function that opens a session with a configuration."""
    monkeypatch.chdir(tmp_path)

    def load(text):
        path = tmp_path / "delegation.toml"
        path.write_text(text, encoding="utf-8")
        return Session.open(catalog=CATALOG, config_path=path, environ={"RTFS_HOME": str(tmp_path)})

    return load


CATALOG = Catalog(
    engines={entry.name: (entry, WHO) for entry in plugin.rtfs_engines()},
    data={"recognizers": FoundPlugin("recognizers", WHO, lambda: recognizers, is_data=True)},
)

WRONG = [
    ('[engines.careful]\nplugin = "security"\n', "E0704", 1, 10, "base"),
    (f"{HEAD}preset = 'privacy'\n", "E0705", 4, 10, "privacy-first"),
    (f"{HEAD}perset = 'local-only'\n", "E0702", 4, 1, "did you mean 'preset'?"),
    (f"{HEAD}redact = ['email']\n", "E0705", 4, 10, 'preset = "privacy-first"'),
    (
        f"{HEAD}preset = 'privacy-first'\nredact = ['emial']\n[redaction.email]\npattern='x'\n",
        "E0706",
        5,
        11,
        "'email'",
    ),
    (f"{HEAD}approver = ''\n", "E0705", 4, 12, "operator"),
    (f"{HEAD}models = []\n", "E0705", 4, 10, "leave it out"),
    (f"{RULE}symbols = 'f'\n", "E0704", 4, 3, "say"),
    (f"{RULE}say = 'denny'\n", "E0705", 5, 7, "deny"),
    (f"{RULE}say = 'deny'\nlabel = 'pii'\n", "E0702", 6, 1, "did you mean 'labels'?"),
    (f"{RULE}say = 'deny'\nwhere = 'far'\n", "E0705", 6, 9, "remote"),
    (f"{RULE}say = 'deny'\nlevel = ['high']\n", "E0705", 6, 10, "full"),
    (f"{RULE}say = 'deny'\nsymbols = []\n", "E0705", 6, 11, "leave it out"),
    (f"{RULE}say = 'redact'\n", "E0705", 5, 7, "add redact"),
    (f"{RULE}say = 'redact'\nredact = ['emial']\n[redaction.email]\npattern='x'\n", "E0706", 6, 11, "'email'"),
    (f"{RULE}say = 'deny'\nredact = ['email']\n[redaction.email]\npattern='x'\n", "E0705", 6, 10, 'say = "redact"'),
    (f"{RULE}say = 'deny'\napprover = 'ann'\n", "E0705", 6, 12, 'say = "ask"'),
    (f"{RULE}say = 'deny'\nunaccepted = 'yes'\n", "E0703", 6, 14, None),
    ("[redaction.x]\nrecognizer = 'fone'\n", "E0706", 2, 14, "did you mean 'phone'?"),
]


@pytest.mark.parametrize(("text", "code", "line", "column", "way_out"), WRONG)
def test_a_mistake_has_its_place_and_way_out(opened, text, code, line, column, way_out):
    with pytest.raises(ConfigError) as raised:
        opened(text).close()
    found = raised.value.diagnostics[0]
    assert (found.code, found.place.line, found.place.column) == (code, line, column), found.render()
    assert way_out is None or way_out in (found.help or ""), found.render()


FOUND = [
    ("phone", "call +49 30 901820 or (650) 253-0000 today", "call [-] or [-] today"),
    ("phone", "no number here, 12 or 2024-01-02", "no number here, 12 or 2024-01-02"),
    ("card", "card 4111 1111 1111 1111, not 4111 1111 1111 1112", "card [-], not 4111 1111 1111 1112"),
    ("card", "4111111111111111", "[-]"),
    ("card", 4111111111111111, "[-]"),
    ("iban", "pay to DE89 3704 0044 0532 0130 00 please", "pay to [-] please"),
    ("iban", "GB82WEST12345698765432 and DE00 3704 0044 0532 0130 00", "[-] and DE00 3704 0044 0532 0130 00"),
    ("iban", "ü: DE89370400440532013000", "ü: [-]"),
]


@pytest.mark.parametrize(("name", "text", "left"), FOUND)
def test_recognizers_find_what_they_are_for(opened, hosted_call, name, text, left):
    with opened(f"[redaction.r]\nrecognizer = '{name}'\nwith = '[-]'\n") as session:
        call, _ = Redactor(session.host.config.redaction, CATALOG).redacted(hosted_call(text), ["r"])
    assert call.args == (left,)


@pytest.fixture
def hosted_call():
    """Return a function that makes a call with one argument."""
    from rtfs_framework.api import CallKind, HostCall

    return lambda value: HostCall(CallKind.DELEGATED, "f", (value,))


def test_without_its_library_a_recognizer_says_how_to_install_it(opened, monkeypatch):
    def missing(_):
        raise recognizers.PackageNotFoundError

    monkeypatch.setattr(recognizers, "version", missing)
    with pytest.raises(ConfigError) as raised:
        opened("[redaction.r]\nrecognizer = 'phone'\n")
    assert "rtfs-engine-security[pii]" in raised.value.diagnostics[0].help
