"""What `[labels]` says of one id of a capability counts for all of them, and for none less than before."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api import CapabilitySetEntry
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.lang.errors import ProgramError
from rtfs_framework.lang.source import Source
from rtfs_framework.orchestrator.config.labels import accepted, answered
from rtfs_framework.orchestrator.explaining.seen import seen
from rtfs_framework.registry.collect import aliases_of
from rtfs_framework.registry.problems import Provenance

WHO = Provenance("acme-plugin", "1.2", "acme")
PII = {"pii"}


class Store:
    """A set of one capability."""

    def __init__(self, made):
        self.made = made

    def entries(self):
        return [self.made]

    def close(self):
        pass


@pytest.fixture
def opened(kit, capability):
    """Return a function that opens a host of capabilities with aliases, one of them of a set."""

    def opened(labels, *more):
        get = capability("kv.get", lambda _: "kept", aliases=("ccos.kv.get",))
        made = [
            capability("fs.read", lambda _: "alice", aliases=("ccos.file.read",), names=("slurp",)),
            capability("fs.write", lambda request: str(request.args), aliases=("ccos.io.write-file",)),
            *more,
        ]
        ids = ("kv.*", "ccos.kv.get")
        kept = CapabilitySetEntry(name="kv", summary="A fake.", factory=lambda _: Store(get), ids=ids)
        catalog = attrs.evolve(
            kit.catalog(capabilities=made),
            capability_sets={"kv": (kept, WHO)},
            aliases=aliases_of({each.id: each for each in made}),
            function_names={name: each.id for each in made for name in each.names},
        )
        return kit.open(catalog, '[security]\ngrant = ["*"]\n[labels]\n' + labels)

    return opened


@pytest.mark.parametrize("said", ["fs.read", "ccos.file.read", "ccos.file/read", "ccos.file.*", "fs.*"])
@pytest.mark.parametrize("called", ["fs.read", "ccos.file.read", "ccos.file/read"])
def test_marks_of_one_id_count_for_all(opened, said, called):
    with opened(f'[labels.capabilities]\n"{said}" = ["pii"]\n') as session, pytest.raises(ProgramError) as caught:
        session.run(f'(call :fs.write "o.txt" (call :{called} "a.txt"))')
    assert "it carries :pii" in caught.value.message


@pytest.mark.parametrize("said", ["ccos.kv.get", "ccos.kv/get", "ccos.*"])
def test_marks_of_an_alias_of_a_set_count(opened, said):
    with opened(f'[labels.capabilities]\n"{said}" = ["pii"]\n') as session, pytest.raises(ProgramError) as caught:
        session.run('(call :fs.write "o.txt" (call :kv.get "a"))')
    assert "it carries :pii" in caught.value.message
    assert session.host.config.notices == ()


ACCEPTS = [
    # lines of [labels.accepts] about capabilities, what fs.write accepts
    ({"fs.*": ["pii"], "ccos.io.write-file": []}, set()),
    ({"fs.write": ["pii"], "ccos.*": []}, set()),
    ({"fs.write": ["pii", "secret"], "ccos.io.write-file": ["pii"]}, PII),
    ({"ccos.io/write-file": ["pii"]}, PII),
    ({"*": [], "ccos.io.write-file": ["pii"]}, PII),
    ({"*": ["pii"], "ccos.io.*": []}, set()),
    ({"*": [], "fs.write": ["pii"]}, PII),
    ({"fs.*": [], "ccos.io.write-file": ["pii"]}, set()),
    ({"fs.read": ["pii"]}, set()),
    ({"ccos.*": [], "*write*": [], "fs.write": ["pii"]}, set()),  # what is overruled overrules nothing
]


@pytest.mark.parametrize(("lines", "expected"), ACCEPTS)
def test_the_strictest_line_counts_unless_a_more_specific_one_decides(opened, lines, expected):
    text = "[labels.accepts]\n" + "".join(f'"capability {name}" = {marks}\n' for name, marks in lines.items())
    with opened(text) as session:
        labels = session.host.config.labels
        for name in ("fs.write", "ccos.io.write-file", "ccos.io/write-file"):
            assert accepted(labels, f"capability {name}") == expected
            assert answered(labels, name) == expected


def test_an_id_that_two_want_lets_nothing_more_pass(opened, capability):
    both = [capability(f"{name}.put", lambda _: 1, aliases=("old.put",)) for name in "ab"]
    text = '[labels.accepts]\n"capability old.put" = ["pii"]\n"capability b.put" = ["secret", "pii"]\n'
    with opened(text + '[labels.capabilities]\n"old.put" = []\n', *both) as session:
        labels = session.host.config.labels
        assert accepted(labels, "capability a.put") == set()
        assert accepted(labels, "capability b.put") == PII
        assert answered(labels, "b.put") == PII
    with opened('[labels.capabilities]\n"old.put" = ["pii"]\n', *both) as session:
        assert answered(session.host.config.labels, "a.put") == PII


@pytest.mark.parametrize("target", ["fs.write", "ccos.io.write-file"])
def test_a_declassify_is_granted_by_any_id(opened, target):
    text = '(call :fs.write "o" (call :fs.read "a"))'
    text = f'(declassify [:pii] "asked" {text})'
    marked = '[labels.capabilities]\n"fs.read" = ["pii"]\n'
    with opened(marked) as session, pytest.raises(ProgramError) as caught:
        session.run(text)
    program = caught.value.message.partition('program = "')[2].partition('"')[0]
    grant = f'[[labels.declassify]]\nprogram = "{program}"\nfunction = "fs.write"\nmarks = ["pii"]\n'
    with opened(f'{marked}{grant}target = "capability {target}"\n') as session:
        assert "alice" in session.run(text).value


@pytest.mark.parametrize(
    "text",
    [
        '(call :ccos.file.read "a")',
        '(call :ccos.file/read "a")',
        '(slurp "a")',
        '( slurp "a")',
        '(first (map slurp ["a"]))',
        '(call (keyword (str "fs." "read")) "a")',
    ],
)
def test_what_is_looked_at_carries_the_marks_of_calls_under_all_names(opened, text):
    with opened('[labels.capabilities]\n"fs.read" = ["pii"]\n') as session:
        found = seen(session.host, Source("t.rtfs", f'(call :ccos.io.write-file "o" {text})'), Limits())
    last = next(each for each in found if each.text.startswith("(call :ccos.io"))
    assert last.marks == PII
    assert last.refused == ("capability fs.write",)


def test_names_of_sets_and_of_the_host_are_known(opened):
    known = ["kv.put", "kv.*", "k*", "*.get", "ccos.kv.get", "host.feedback"]
    lines = "".join(f'"capability {name}" = ["pii"]\n' for name in known)
    with opened(f'[labels.accepts]\n{lines}"capability kw.put" = ["pii"]\n') as session:
        told = [each.message for each in session.host.config.notices if each.code == "E0708"]
    assert told == ["'kw.put' fits no capability of an installed plug-in"]
