"""A configuration that lies beside a program can narrow and choose; for more, its user must have trusted it."""

from __future__ import annotations

import os

import attrs
import pytest

from rtfs_framework.api import LocalModel, LocalPure, RemoteModel
from rtfs_framework.orchestrator.config.isolation import Isolation
from rtfs_framework.orchestrator.config.security import Reach, SecurityLevel
from rtfs_framework.orchestrator.config.standing import STANDING
from rtfs_framework.orchestrator.config.tables.budgets import BudgetTable, RateTable
from rtfs_framework.orchestrator.config.tables.file import CacheTable, ConfigFile, ProviderTable, sections
from rtfs_framework.orchestrator.config.tables.prices import PriceTable
from rtfs_framework.orchestrator.config.variables import SECTIONS


@pytest.fixture
def place(found_over_own):
    """Return a function that opens a session where a file was found, over the user's own."""
    return found_over_own


def told(config):
    """Return the notices, but that no plug-in of these tests offers the capabilities that are granted in them."""
    return tuple(each for each in config.notices if each.code != "E0708")


def ignored(config):
    """Return the names of what was ignored, from the one warning."""
    (notice,) = told(config)
    assert (notice.code, notice.severity) == ("E0715", "warning")
    assert "rtfs config trust" in notice.help
    return notice.message.partition("ignored in it: ")[2].split(", ")


def spec(config, target):
    return next(each for each in config.providers if each.target == target)


OWN = """
[delegation.remote_providers.mine]
provider = "openai"
endpoint = "https://mine.example/v1"
timeout = 9000
[delegation.local_models.words]
provider = "rules"
[security]
grant = ["fs.*", "log"]
reach = "local"
isolation = "isolated"
[limits]
steps = 1000
"""

VENDOR, M = "[delegation.remote_providers.openai]\n", "[delegation.remote_providers.mine]\n"
N = "[delegation.local_models.new]\n"
WIDENING = [
    (VENDOR + "endpoint = 'http://127.0.0.1:9/v1'", "delegation.remote_providers.openai.endpoint"),
    (VENDOR + "api_key_env = 'AWS_SECRET'", "delegation.remote_providers.openai.api_key_env"),
    (VENDOR + "model = 'dear'", "delegation.remote_providers.openai.model"),
    (VENDOR + "reuse = 'always'", "delegation.remote_providers.openai.reuse"),
    ("[approvals]\ntimeout = '1h'", "approvals.timeout"),
    ("[delegation]\nengine = 'static'", "delegation.engine"),
    ("[delegation.local_models.local-pure]\nprovider = 'rules'\nrules = 'x'", "delegation.local_models.local-pure"),
    ("[delegation.local_models.local-words]\nprovider = 'rules'\nrules = 'x'", "delegation.local_models.local-words"),
    ("[delegation.local_models.remote-x]\nprovider = 'rules'\nrules = 'x'", "delegation.local_models.remote-x"),
    ("[delegation.local_models.rules]\npath = 'x.gguf'\nlibrary = 'y'", "delegation.local_models.rules"),
    ("[health]\nminimum_calls = 10000", "health.minimum_calls"),
    ("[health.targets.remote-openai]\nstate = 'forced-open'", "health.targets"),
    (VENDOR + "input_cost = 0.1", "delegation.remote_providers.openai.input_cost"),
    ("[prices.'gpt-4o']\ninput = 0.1", "prices.gpt-4o.input"),
    (VENDOR + "timeout = '1h'", "delegation.remote_providers.openai.timeout"),
    (VENDOR + "provider = 'rules'", "delegation.remote_providers.openai.provider"),
    (M + "endpoint = 'https://evil.example'", "delegation.remote_providers.mine.endpoint"),
    ("[delegation.remote_providers.new]\nprovider = 'openai'", "delegation.remote_providers.new"),
    (N + "provider = 'openai'", "delegation.local_models.new"),
    (N + "provider = 'rules'\nrules = '../../x.toml'", "delegation.local_models.new.rules"),
    (N + "provider = 'rules'\nrules = '/etc/passwd'", "delegation.local_models.new.rules"),
    (N + "provider = 'rules'\nrules = '~/x.toml'", "delegation.local_models.new.rules"),
    (N + "provider = 'rules'\nrules = 'link.toml'", "delegation.local_models.new.rules"),
    (N + "provider = 'rules'\nrules = 'pipe'", "delegation.local_models.new.rules"),
    (N + "provider = 'rules'\ndanger = 'x'", "delegation.local_models.new.danger"),
    (N + "provider = 'rules'\nreuse = 'always'", "delegation.local_models.new.reuse"),
    ("[delegation.local_models.words]\nrules = 'other.toml'", "delegation.local_models.words.rules"),
    ("[delegation.local_models.sentiment]\nrules = 'evil.toml'", "delegation.local_models.sentiment.rules"),
    ("[delegation.local_models.sentiment]\nargument = 'x'", "delegation.local_models.sentiment.argument"),
    ("[delegation.local_models.sentiment]\nprovider = 'openai'", "delegation.local_models.sentiment.provider"),
    ("[delegation]\nconcurrency = 100", "delegation.concurrency"),
    ("[delegation]\nparallel = 100", "delegation.parallel"),
    ("[delegation]\ncache_ttl = 50", None),
    ("[engines.static]\n", None),
    ("[caches.l1]\nttl = 5", "caches.l1.ttl"),
    ("[caches.l2]\nenabled = false", "caches.l2.enabled"),
    ("[caches.l2]\nenabled = false\nttl = 5", "caches.l2.enabled, caches.l2.ttl"),
    ("[security]\nlevel = 'full'", "security.level"),
    ("[security]\nreach = 'remote'", "security.reach"),
    ("[security]\ngrant = ['net.get']", "security.grant"),
    ("[security]\ngrant = ['*']", "security.grant"),
    ("[security]\ngrant = ['f*']", "security.grant"),
    ("[security]\nisolation = 'inherit'", "security.isolation"),
    ("[security.child]\nenvironment = ['HOME']", "security.child.environment"),
    ("[security.context]\nuser = 'root'", "security.context.user"),
    ("[security]\nagent = 'root'", "security.agent"),
    ("[security.environment]\nstage = 'test'", "security.environment.stage"),
    ("[security.constraints]\ncost = 'any'", "security.constraints.cost"),
    ("[security.hours]\nnight = '0-24'", "security.hours.night"),
    ("[security]\ntime_zone = 'Europe/Berlin'", "security.time_zone"),
    ("[journal]\nenabled = false", "journal.enabled"),
    ("[journal]\npath = '/dev/null'", "journal.path"),
    ('[journal]\nkeep = "replies"', "journal.keep"),
    ("[modules]\npath = ['lib']", "modules.path"),
    ("[keys]\nOPENAI_API_KEY = 'https://evil.example'", "keys.OPENAI_API_KEY"),
    ("[limits]\nsteps = 1001", "limits.steps"),
    ("[limits]\nsteps = 'off'", "limits.steps"),
    ("[limits]\nmemory = '2 GiB'", "limits.memory"),
    ("[limits]\ndepth = 'off'", "limits.depth"),
    ("[limits]\nhost_calls = 2000000", "limits.host_calls"),
    ("[limits]\nnesting = 400", "limits.nesting"),
    ("[limits]\nstep_rounds = 20000", "limits.step_rounds"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name"), [each for each in WIDENING if each[1]], ids=str)
def test_what_would_widen_is_ignored_and_named_once(place, text, name):
    (place.home / "x.toml").write_text("", encoding="utf-8")
    (place.repo / "link.toml").symlink_to(place.home / "x.toml")
    os.mkfifo(place.repo / "pipe")
    without = place(own=OWN)
    found = place(text)
    assert ignored(found) == name.split(", ")
    same = attrs.fields(type(found))
    for field in [each.name for each in same if each.name not in {"notices", "merged", "path", "tables", "providers"}]:
        if (field, name) != ("security", "security.grant"):
            assert getattr(found, field) == getattr(without, field), field
    if not name.endswith(("new.reuse",)):
        assert {each.target: each.own for each in found.providers} == {
            each.target: each.own for each in without.providers
        }


NARROWING = [
    ("[limits]\nsteps = 10\nseconds = '2s'\nmemory = '2 MiB'", lambda c: (c.limits.steps, c.limits.seconds) == (10, 2)),
    ("[security]\nlevel = 'pure'", lambda c: c.security.level is SecurityLevel.PURE),
    ("[security]\nreach = 'pure'", lambda c: c.security.reach is Reach.PURE),
    ("[security]\nisolation = 'sandboxed'", lambda c: c.security.isolation is Isolation.SANDBOXED),
    ("[security]\ndeny = ['net.*']", lambda c: c.security.deny == ("net.*",)),
    ("[security]\ngrant = ['fs.read']", lambda c: c.security.grant == ("fs.read",)),
    ("[security]\ngrant = ['fs.x*', 'log']", lambda c: c.security.grant == ("fs.x*", "log")),
    ("[delegation]\ncache_ttl = 5\nparallel = 2\nconcurrency = 3", lambda c: (c.cache_ttl, c.parallel) == (5, 2)),
    ("[delegation]\ndefault_target = 'remote-mine'", lambda c: c.default_target == RemoteModel("mine")),
    ("[delegation.static_routes]\n'a*' = 'remote-openai'", lambda c: c.routes == {"a*": (RemoteModel("openai"),)}),
    ("[delegation.remote_providers.mine]\ntimeout = '2s'", lambda c: spec(c, RemoteModel("mine")).timeout == 2),
    ("[delegation.remote_providers.mine]\nendpoint = 'https://mine.example/v1'", lambda c: c.routes == {}),
    ("[caches.l1]\nenabled = false", lambda c: not c.caches["l1"].enabled),
    ("[caches.l2]\nenabled = true", lambda c: c.caches == {}),
    ('[journal]\nenabled = true\nkeep = "digests"', lambda c: c.journal.enabled),
    ("[modules]\npath = []", lambda c: c.module_path == ()),
    (
        N + "provider = 'rules'\nrules = 'sub/r.toml'\nargument = 'text'\n"
        "[delegation.static_routes]\nf = ['local-new', 'local-words']",
        lambda c: spec(c, LocalModel("new")).own.rules == "sub/r.toml"
        and c.routes == {"f": (LocalModel("new"), LocalModel("words"))},
    ),
    (
        "[delegation.local_models.sentiment]\nrules = 'sentiment'\ntimeout = '2s'",
        lambda c: spec(c, LocalModel("sentiment")).timeout == 2,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "holds"), NARROWING, ids=lambda each: each if isinstance(each, str) else "")
def test_what_narrows_or_chooses_counts_without_a_word(place, text, holds):
    config = place(text, own=OWN)
    assert told(config) == ()
    assert holds(config)


def test_a_file_beside_is_cut_down_to_what_is_left_and_its_models_files_start_there(place):
    config = place("[delegation.local_models.new]\nprovider = 'rules'\nrules = 'r.toml'\n", own=OWN)
    assert spec(config, LocalModel("new")).directory == str(place.repo)
    assert spec(config, RemoteModel("mine")).directory == str(place.home)


def test_the_user_s_timeout_of_a_model_does_not_move_its_files(place):
    own = "[delegation.local_models.words]\nprovider = 'rules'\nrules = 'w.toml'\n"
    config = place("[delegation.local_models.words]\ntimeout = '1s'\n", own=own)
    found = spec(config, LocalModel("words"))
    assert (found.directory, found.timeout, found.own.rules) == (str(place.home), 1, "w.toml")


ROUTED = """
[delegation]
default_target = "local-pure"
[delegation.static_routes]
"secret-*" = "local-pure"
"hr-*" = ["remote-mine", "local-words"]
[delegation.remote_providers.mine]
provider = "openai"
[delegation.local_models.words]
provider = "rules"
"""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("'secret-*' = 'remote-openai'", None),
        ("'secret-plan' = 'remote-openai'", None),
        ("'*' = 'remote-openai'", None),
        ("'s*n' = 'local-words'", None),
        ("'secret-plan' = 'local-pure'", (LocalPure(),)),
        ("'hr-x' = 'remote-openai'", None),
        ("'hr-x' = 'remote-mine'", (RemoteModel("mine"),)),
        ("'hr-x' = 'local-pure'", (LocalPure(),)),
        ("'hr-x' = ['remote-openai', 'local-words']", (LocalModel("words"),)),
        ("'free' = 'remote-openai'", None),
        ("'free' = 'local-words'", None),
        ("'free' = 'local-pure'", (LocalPure(),)),
        ("'hr-*' = 'remote-mine'", (RemoteModel("mine"),)),
        ("'h*' = 'local-words'", None),
    ],
)
def test_where_the_user_has_routed_a_file_may_only_choose_among_that_or_nearer(place, text, left):
    config = place(f"[delegation.static_routes]\n{text}\n", own=ROUTED)
    pattern = text.split("'")[1]
    standing = {"secret-*": (LocalPure(),)}
    assert config.routes.get(pattern) == (left or standing.get(pattern))
    assert config.routes["secret-*"] == (LocalPure(),)
    assert bool(told(config)) is (left is None or "openai', 'local" in text)


DEFAULT = "[delegation]\ndefault_target = 'local-pure'\n"
JUDGE = "[delegation.static_routes]\n'*' = 'local-pure'\n"


@pytest.mark.parametrize(
    "said",
    [
        {"own": DEFAULT},
        {"asked": DEFAULT},
        {"RTFS_DELEGATION__DEFAULT_TARGET": "local-pure"},
        {"own": JUDGE},
        {"asked": JUDGE},
        {"RTFS_DELEGATION__STATIC_ROUTES": '{"*" = "local-pure"}'},
        {"own": "[delegation]\ndefault_target = 'remote-openai'\n", "asked": DEFAULT},
    ],
    ids=str,
)
@pytest.mark.parametrize("pattern", ["*", "judge", "j*"])
def test_wherever_the_user_has_chosen_a_route_that_was_found_may_not_go_further(place, said, pattern):
    config = place(f"[delegation.static_routes]\n'{pattern}' = 'remote-openai'\n", **said)
    assert config.default_target == LocalPure()
    assert set(config.routes.values()) <= {(LocalPure(),)}
    if pattern != "*" or DEFAULT in said.values():  # else it is said again, and counts for nothing
        assert ignored(config)[0].startswith("delegation.static_routes.")


def test_what_a_tenants_route_keeps_at_home_no_longer_pattern_of_a_found_file_sends_away(place):
    own = "[tenants.acme.static_routes]\n'judge*' = 'local-pure'\n"
    found = "[delegation.static_routes]\n'%s' = 'remote-openai'\n"
    config = place(found % "*udge-mail", own=own, RTFS_TENANT="acme")
    assert config.routes == {"judge*": (LocalPure(),)}
    assert ignored(config) == ['delegation.static_routes."*udge-mail"']
    assert place(found % "judge-mail", RTFS_TENANT="acme").routes == {"judge*": (LocalPure(),)}
    assert place(RTFS_TENANT="").routes == {"judge-mail": (RemoteModel("openai"),)}, "it is in no one's way"


def test_where_only_the_defaults_speak_anything_may_be_chosen(place):
    config = place("[delegation.static_routes]\n'*' = 'remote-openai'\n", asked="[limits]\nsteps = 10\n")
    assert (config.routes, told(config)) == ({"*": (RemoteModel("openai"),)}, ())


def test_targets_that_were_asked_for_may_be_chosen(place):
    asked = "[delegation.remote_providers.mine]\nprovider = 'openai'\n"
    config = place("[delegation.static_routes]\nf = 'remote-mine'\n", asked=asked)
    assert (config.routes, told(config)) == ({"f": (RemoteModel("mine"),)}, ())


JUDGING = "[delegation.local_models.judge]\nprovider = 'rules'\nrules = 'j.toml'\n"


@pytest.mark.parametrize(
    "said",
    [{"asked": JUDGING}, {"own": JUDGING}, {"RTFS_DELEGATION__LOCAL_MODELS__JUDGE__PROVIDER": "rules"}],
    ids=str,
)
@pytest.mark.parametrize("text", ["argument = 'x'", "argument = 'x'\nprovider = 'rules'"])
def test_a_model_that_the_user_defines_anywhere_is_not_changed_by_what_was_found(place, said, text):
    judge = LocalModel("judge")
    without = spec(place(**said), judge)
    config = place(f"[delegation.local_models.judge]\n{text}\n", **said)
    assert spec(config, judge) == without
    assert ignored(config) == ["delegation.local_models.judge.argument"]


def test_what_a_later_text_says_again_is_not_judged(place):
    config = place("[delegation]\ndefault_target = 'remote-openai'\n[limits]\nsteps = 9\n", asked=DEFAULT)
    assert (config.default_target, config.limits.steps, told(config)) == (LocalPure(), 9, ())


def test_what_was_asked_for_may_use_a_model_that_was_found(place):
    config = place(N + "provider = 'rules'\n", asked="[delegation.static_routes]\nf = 'local-new'\n")
    assert (config.routes, told(config)) == ({"f": (LocalModel("new"),)}, ())


def test_the_user_s_default_is_not_made_more_remote(place):
    config = place("[delegation]\ndefault_target = 'remote-mine'\n", own=ROUTED)
    assert config.default_target == LocalPure()
    assert ignored(config) == ["delegation.default_target"]


def test_a_target_that_only_the_file_defines_cannot_be_chosen_and_is_no_mistake(place):
    text = (
        "[delegation]\ndefault_target = 'remote-evil'\n[delegation.static_routes]\nf = ['remote-evil', 'local-pure']\n"
        "g = 'remote-evil'\n[delegation.remote_providers.evil]\nprovider = 'openai'\nendpoint = 'http://evil.example'\n"
    )
    config = place(text)
    assert (config.default_target, config.routes) == (LocalPure(), {"f": (LocalPure(),)})
    assert RemoteModel("evil") not in {each.target for each in config.providers}
    assert ignored(config) == [
        "delegation.remote_providers.evil",
        "delegation.default_target",
        "delegation.static_routes.f",
        "delegation.static_routes.g",
    ]


def test_what_the_user_encrypts_and_keeps_a_file_that_nobody_trusts_does_not_change(place):
    own = '[journal]\nencrypt = "env:K"\nretain = "90d"\n'
    config = place('[journal]\nencrypt = []\nretain = "2h"\nretain_labels = { pii = "2h" }\n', own=own, K="5f" * 32)
    assert (config.journal.encrypt, config.journal.retain) == (("env:K",), 90 * 86_400.0)
    assert config.journal.retain_labels == {}
    assert ignored(config) == ["journal.encrypt", "journal.retain", "journal.retain_labels"]


def _wild(names, prefix):
    return {f"{prefix}.{each.name}" for each in attrs.fields(names)}


def test_every_key_of_the_model_has_its_standing():
    named = {"acl", "child", "context", "environment", "constraints", "hours"}
    tables = {"static_routes", "remote_providers", "local_models"} | named
    model = {f"{table}.{key}" for table, keys in sections().items() for key in keys if key not in tables}
    model |= {"delegation.static_routes.*", "engines.*", "keys.*", "labels.context"}
    model |= {f"security.{key}.*" for key in named}
    model |= _wild(ProviderTable, "delegation.remote_providers.*") | _wild(ProviderTable, "delegation.local_models.*")
    model |= _wild(CacheTable, "caches.*") | _wild(BudgetTable, "budgets.*") | _wild(RateTable, "rates.*")
    model |= {"tenants.*", "guards.*", "redaction.*", "embedders.*", "observers.*", "stores.*", "ledgers.*", "queues.*"}
    model |= {"capabilities.*"}
    model |= _wild(PriceTable, "prices.*")
    assert sorted(model - set(STANDING)) == [], "say in standing.py what an untrusted file may do with these keys"
    assert sorted(set(STANDING) - model) == [], "these keys are gone"
    assert {field.name for field in attrs.fields(ConfigFile)} == SECTIONS


def test_a_key_without_standing_widens(place, monkeypatch):
    monkeypatch.setattr("rtfs_framework.orchestrator.config.narrow.STANDING", {})
    config = place("[limits]\nsteps = 1\n[security]\nreach = 'pure'\n")
    assert ignored(config) == ["limits.steps", "security.reach"]
    assert config.limits.steps != 1
