"""`[labels]`: what it means, mistakes with their place and a way out, and what an untrusted file may do."""

from __future__ import annotations

import attrs
import pytest

from rtfs_framework.api.errors import ConfigError
from rtfs_framework.api.targets import LocalModel, LocalPure, RemoteModel
from rtfs_framework.orchestrator.config.grants import Grantable
from rtfs_framework.orchestrator.config.labels import accepted, answered
from rtfs_framework.orchestrator.deciding.labels import Marks

DIGEST = "0123456789abcdef"


def told(error):
    found = error.value.diagnostics[0]
    line, column = found.source.place(found.span.start)
    return line, column, found.code, found.message, found.help or ""


@pytest.fixture
def read(kit, capability):
    """Return a function that reads a configuration."""
    catalog = kit.catalog(
        kit.provider("far", lambda _: "f", remote=True),
        kit.provider("near", lambda _: "n"),
        capabilities=[capability("crm.get", lambda _: 1)],
    )

    def read(text):
        with kit.open(catalog, text) as session:
            return session.host.config

    return read


def test_a_whole_table(read):
    spec = read(f"""
[labels]
marks = ["medical"]
forbidden = "error"
[labels.inputs]
"patient.name" = ["pii", "medical"]
[labels.capabilities]
"crm.*" = ["pii"]
[labels.providers]
"local-near" = ["internal"]
[labels.context]
user = ["internal"]
[labels.accepts]
"remote-far" = ["internal"]
"capability crm.get" = ["pii"]
log = ["pii"]
[[labels.declassify]]
program = "{DIGEST}"
function = "summary"
target = "remote-far"
marks = ["pii"]
""").labels
    assert spec.marks == {"internal", "pii", "secret", "medical"}
    assert spec.forbidden == "error"
    assert spec.inputs == {("patient", "name"): {"pii", "medical"}}
    assert spec.providers == {LocalModel("near"): {"internal"}}
    assert [str(grant) for grant in spec.grants] == ["pii in calls of summary to remote-far, program 0123456789ab"]
    marks = Marks(spec)
    assert marks.accepts(RemoteModel("far")) == {"internal"}
    assert marks.accepts(LocalModel("near")) is marks.accepts(LocalPure()) is None
    assert marks.of_answer("capability crm.get") == {"pii"}
    assert marks.of_answer("capability other") == frozenset()
    assert (accepted(spec, "log"), accepted(spec, "observer x"), accepted(spec, "cache l2")) == ({"pii"}, set(), None)


def test_without_the_table_there_are_none(read):
    assert read("[delegation]\n").labels is None


@pytest.mark.parametrize(
    ("text", "line", "message", "way_out"),
    [
        ('[labels.inputs]\nemail = ["pi"]', 2, "no mark is called 'pi'", "pii"),
        ('[labels.inputs]\nemail = [":pii"]', 2, "no mark is called ':pii'", 'without its colon: "pii"'),
        ('[labels]\nmarks = [":pii"]', 2, "':pii' is no name of a mark", "without its colon"),
        ('[labels]\nmarks = ["a b"]', 2, "'a b' is no name of a mark", "such as"),
        ('[labels.providers]\n"remote-fra" = ["pii"]', 2, "no remote provider 'fra'", "remote-far"),
        ('[labels.accepts]\n"remote-fra" = ["pii"]', 2, "no remote provider 'fra'", "remote-far"),
        ('[labels.accepts]\nlgo = ["pii"]', 2, "'lgo' is no target", "log"),
        ("[labels.accepts]\nlocal-pure = []", 2, "own body accepts every mark", "take it out"),
        ('[labels]\nforbidden = "hide"', 2, "'hide' is not among the choices", "body"),
        ('[[labels.declassify]]\nprogram = "x"\nfunction = "f"\ntarget = "remote-far"\nmarks = ["pii"]', 2, "no digest",
         "rtfs check --labels"),
        (f'[[labels.declassify]]\nprogram = "{DIGEST}"\nfunction = "f"\ntarget = "remote-fra"\nmarks = ["pii"]', 4,
         "no remote provider 'fra'", "remote-far"),
        (f'[[labels.declassify]]\nprogram = "{DIGEST}"\nfunction = "f"\ntarget = "remote-far"\nmarks = []', 5,
         "it frees nothing", "pii"),
        ('[labels]\n[delegation.remote_providers.far]\naccepts = ["pi"]', 3, "no mark is called 'pi'", "pii"),
        ('[labels]\n[delegation.local_models.near]\nmarks = ["pi"]', 3, "no mark is called 'pi'", "pii"),
        ('[labels]\n[redaction.r]\npattern = "a"\nmarks = ["pi"]', 4, "no mark is called 'pi'", "pii"),
    ],
)  # fmt: skip
def test_mistakes_have_their_place_and_a_way_out(read, text, line, message, way_out):
    with pytest.raises(ConfigError) as caught:
        read(text)
    found = told(caught)
    assert found[0] == line
    assert message in found[3]
    assert way_out in found[4] or way_out in found[3]


@pytest.mark.parametrize(
    ("text", "message", "way_out"),
    [
        ('[labels.capabilities]\n"crm.gte" = ["pii"]', "'crm.gte' fits no capability", "crm.get"),
        ('[labels.accepts]\n"capability crm.gte" = ["pii"]', "'crm.gte' fits no capability", "crm.get"),
        ('[labels.accepts]\n"observer otle" = ["pii"]', "'otle' fits no observer", "installed: none"),
        (
            '[security.context]\nuser = "x"\n[labels.context]\nusre = ["pii"]',
            "no context value is called 'usre'",
            "user",
        ),
        ('[delegation.remote_providers.far]\naccepts = ["pii"]', "'accepts' says nothing", "[labels]"),
    ],
)
def test_what_does_nothing_is_told(read, text, message, way_out):
    notices = [each for each in read(text).notices if each.code == "E0708"]
    assert [message in each.message and way_out in each.help for each in notices] == [True]


OWN = """
[labels]
marks = ["medical"]
[labels.inputs]
email = ["pii"]
[labels.accepts]
"remote-openai" = ["internal"]
[delegation.remote_providers.openai]
"""


def test_an_untrusted_file_may_mark_more_and_accept_less(found_over_own):
    config = found_over_own(
        '[labels]\nmarks = ["mine"]\nforbidden = "error"\n[labels.inputs]\nemail = ["mine"]\nphone = ["pii"]\n'
        '[labels.accepts]\n"remote-openai" = []\n',
        own=OWN,
    )
    spec = config.labels
    assert spec.marks >= {"medical", "mine"}
    assert spec.forbidden == "error"
    assert spec.inputs == {("email",): {"pii", "mine"}, ("phone",): {"pii"}}
    assert accepted(spec, "remote-openai") == frozenset()


def test_an_untrusted_file_frees_nothing(found_over_own):
    config = found_over_own(
        '[labels]\nforbidden = "ask"\ntrust_redaction = true\n[labels.inputs]\nemail = []\n[labels.accepts]\n'
        '"remote-openai" = ["pii"]\nlog = ["pii"]\n'
        f'[[labels.declassify]]\nprogram = "{DIGEST}"\nfunction = "f"\ntarget = "remote-openai"\nmarks = ["pii"]\n'
        '[delegation.remote_providers.openai]\naccepts = ["pii"]\n',
        own=OWN,
    )
    spec = config.labels
    assert (spec.forbidden, spec.inputs[("email",)], spec.grants) == ("body", {"pii"}, ())
    assert not spec.trust_redaction
    assert (accepted(spec, "remote-openai"), accepted(spec, "log")) == ({"internal"}, frozenset())
    ignored = next(each.message for each in config.notices if each.code == "E0715")
    for name in ("labels.forbidden", "labels.accepts.remote-openai", "labels.declassify", "openai.accepts"):
        assert name in ignored


@pytest.mark.parametrize(
    "text",
    [
        '[labels.capabilities]\n"crm.write" = []\n',
        '[labels.capabilities]\n"crm.*" = ["internal"]\n',
        '[labels.accepts]\n"capability crm.write" = []\n',
        '[labels.accepts]\n"capability crm.write" = []\n[labels.capabilities]\n"crm.write" = []\n',
        '[labels.accepts]\n"capability crm.*" = []\n',
    ],
)
def test_an_untrusted_file_takes_no_mark_from_what_a_capability_may_have_kept(found_over_own, text):
    own = '[labels.accepts]\n"capability crm.write" = ["pii"]\n'
    assert answered(found_over_own(text, own=own).labels, "crm.write") >= {"pii"}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("f*write", {"*": ["pii"], "fs.*": []}),  # a pattern that comes before one which it does not fit
        ("ccos.write", {"fs.write": ["pii"], "*.write": ["pii"], "ccos.*": []}),  # an alias of a set, known later
    ],
)
def test_an_untrusted_line_that_comes_first_lets_nothing_more_pass(found_over_own, name, own):
    lines = "".join(f'"capability {each}" = {marks}\n' for each, marks in own.items())
    labels = found_over_own(
        f'[labels.accepts]\n"capability {name}" = ["pii"]\n', own=f"[labels.accepts]\n{lines}"
    ).labels
    labels = attrs.evolve(labels, offered=Grantable({"ccos.write": "fs.write"}))
    assert accepted(labels, "capability fs.write") == set()


def test_an_untrusted_file_marks_nothing_of_what_is_said_to_keep_nothing(found_over_own):
    own = '[labels.accepts]\n"capability crm.write" = ["pii"]\n[labels.capabilities]\n"crm.write" = []\n'
    config = found_over_own('[labels.accepts]\n"capability crm.write" = []\n', own=own)
    assert answered(config.labels, "crm.write") == frozenset()


def test_another_way_to_write_a_model_takes_no_mark_from_it(found_over_own):
    own = '[delegation.remote_providers.remote-a]\nprovider = "openai"\nmarks = ["internal"]\n'
    config = found_over_own('[labels.providers]\n"remote-remote-a" = []\n', own=own)
    assert config.labels.providers == {RemoteModel("remote-a"): {"internal"}}
