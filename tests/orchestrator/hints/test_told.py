"""What is said of hints: refused with what is allowed, before a run by `check`, and after it by the journal."""

from __future__ import annotations

import json

import pytest

from rtfs_framework.api import CapabilityError, ConfigError, FailureKind, ProgramError, ProviderTimeout
from rtfs_framework.lang.values import Keyword
from rtfs_framework.orchestrator.explaining.replaying.replay import Repeated, replay
from rtfs_framework.orchestrator.recording.journal.history import history_of

SAFE = CapabilityError("busy", failure=FailureKind.SAFE)
UNSURE = CapabilityError("lost")
UNSURE_M = ProviderTimeout("m", "lost")

WRONG = [
    ("retry", "3", "3 is no map", "write a map of :max-retries, :backoff-ms, :backoff-multiplier, or nil"),
    ("retry", "{:max-retry 3}", "it has no key :max-retry", "did you mean 'max-retries'?"),
    ("retry", "{:max-retries 1 9 2}", "it has no key 9", "its keys are :max-retries"),
    ("retry", "{:backoff-ms 3}", "it lacks :max-retries", "nil instead of a map is no hint"),
    ("retry", "{:max-retries 1.5}", ":max-retries cannot be 1.5", "it is a whole number from 0 to 1,000"),
    ("retry", "{:max-retries -1}", ":max-retries cannot be -1", "a whole number"),
    ("retry", "{:max-retries true}", ":max-retries cannot be true", "a whole number"),
    ("retry", '{:max-retries 1 :backoff-ms "1s"}', ':backoff-ms cannot be "1s"', "milliseconds, from 0"),
    ("retry", "{:max-retries 1 :backoff-multiplier 0.5}", ":backoff-multiplier cannot be 0.5", "from 1 up to 100"),
    ("timeout", "{:timeout-ms 0}", ":timeout-ms cannot be 0", "milliseconds, above 0"),
    ("timeout", "{:multiplier 0}", ":multiplier cannot be 0", "above 0 up to 100"),
    ("fallback", "{:capability 7}", ":capability cannot be 7", "a keyword or a string"),
    ("fallback", "{:capability :othre}", "no capability is called othre", "did you mean 'other'?"),
    ("fallback", "{:capability :kv}", "kv is the call itself", "name another"),
    ("fallback", "{:capability :zzz}", "no capability is called zzz", "rtfs plugins"),
    ("fallback", "{:capability :host.feedback}", "host.feedback is the host's own", "name another"),
    ("fallback", "{:capability :other :pass-original-args 1}", ":pass-original-args cannot be 1", "true or false"),
    ("cache", "{:max-entries 5}", "it lacks :ttl-ms", "say it"),
    ("cache", "{:ttl-ms 5 :max-entries 0}", ":max-entries cannot be 0", "from 1 to 1,000,000"),
    ("rate-limit", "{:requests-per-second 0}", ":requests-per-second cannot be 0", "a number above 0"),
    ("circuit-breaker", "{:failure-threshold 2}", "it lacks :cooldown-ms", "say it"),
    ("validation", "{:required-fields :id}", ":required-fields cannot be :id", "a vector of keywords or strings"),
    ("validation", "{:required-fields [1]}", ":required-fields cannot be [1]", "a vector of keywords or strings"),
    ("validation", "{:validate-schema [:nonsense 1]}", ":validate-schema cannot be [:nonsense 1]", "a type"),
    ("metrics", "7", "7 is no map", "write a map of :name"),
]
BEYOND = [
    ("retry", "{:max-retries 4}", "4 is more than max_retries = 3 allows", ""),
    ("retry", "{:max-retries 1 :backoff-ms 11000}", "11 is more than max_backoff = 10 allows", ""),
    ("timeout", "{:multiplier 1.5}", "1.5 is more than max_multiplier = 1 allows", ""),
    ("circuit-breaker", "{:failure-threshold 1 :cooldown-ms 601000}", "601 is more than max_cooldown = 600", ""),
    ("cache", "{:ttl-ms 3601000}", "3601 is more than max_ttl = 3600 allows", ""),
    ("cache", "{:ttl-ms 1 :max-entries 1001}", "1001 is more than max_entries = 1000 allows", ""),
    ("cache", "{:ttl-ms 1}", "the policy does not allow it", 'cache = "off"'),
    ("fallback", "{:capability :other}", "the policy does not allow it", "fallback = false"),
]
CASES = [(*each, "", "E0622") for each in WRONG] + [
    (name, said, problem, "under [hints] in", policy, "E0623") for name, said, problem, policy in BEYOND
]


def cases_under(policy):
    return [(*each[:4], each[5]) for each in CASES if each[4] == policy]


def program(name, said, body="(call :kv 1)"):
    return f"(defn main [] ^{{:runtime.learning.{name} {said}}} {body})"


@pytest.fixture
def opened(desk):
    """Return a function that opens a session."""

    def made(policy="", **scripts):
        return desk.open(f"[hints]\n{policy}\n" if policy else "", **{"kv": ["yes"], "other": ["o"], **scripts})

    return made


class TestRefused:
    @pytest.mark.parametrize("policy", sorted({each[4] for each in CASES}), ids=lambda text: text or "usual")
    def test_a_call_is_not_made_and_its_error_says_what_is_allowed(self, desk, opened, policy):
        with opened(policy) as session:
            for name, said, problem, way_out, code in cases_under(policy):
                with pytest.raises(ProgramError) as caught:
                    session.load(desk.source(program(name, said))).call("main")
                error = caught.value
                assert error.kind == "InvalidArgument"
                assert f"the hint runtime.learning.{name}: {problem}" in error.message
                assert way_out in error.message
                assert error.value.data.get(Keyword("code")) == code
                assert "test.rtfs:1:" in str(error.value.stack)
        assert desk.asked["kv"] == 0

    @pytest.mark.parametrize("policy", sorted({each[4] for each in CASES}), ids=lambda text: text or "usual")
    def test_check_finds_it_where_it_is_written(self, desk, opened, policy):
        with opened(policy) as session:
            for name, said, problem, way_out, code in cases_under(policy):
                text = program(name, said)
                found = [each for each in session.check(desk.source(text)) if each.code.startswith("E062")]
                if "the call itself" in problem:  # which calls an expression makes is not known before
                    assert found == []
                    continue
                (finding,) = found
                assert (finding.code, finding.severity) == (code, "error")
                assert problem in finding.message
                assert way_out in finding.help
                assert text[finding.span.start : finding.span.end] == said

    def test_a_name_that_is_nearly_one_is_warned_of(self, desk, opened):
        with opened() as session:
            found = session.check(desk.source(program("retrys", "{:max-retries 1}")))
            others = session.check(desk.source(program("similar", "0") + program("mood", "7")))
        (finding,) = [each for each in found if each.code == "E0622"]
        assert (finding.severity, finding.help) == ("warning", "did you mean 'retry'?")
        assert [each for each in others if each.code == "E0622"] == []

    def test_what_is_not_granted_answers_for_nothing(self, desk, opened):
        text = program("fallback", "{:capability :other}") + "(main)"
        with (
            desk.open('[security]\ngrant = ["kv"]\n', kv=["yes"], other=["o"]) as session,
            pytest.raises(ProgramError, match=r"other: .*not granted"),
        ):
            session.run(desk.source(text))

    def test_what_is_computed_is_looked_at_when_the_call_is_made(self, desk, opened):
        text = "(defn main [n] ^{:runtime.learning.retry {:max-retries n}} (call :kv 1))"
        with opened() as session:
            assert [each for each in session.check(desk.source(text)) if each.severity == "error"] == []
            loaded = session.load(desk.source(text))
            assert loaded.call("main", (3,)).value == "yes"
            with pytest.raises(ProgramError, match="4 is more than"):
                loaded.call("main", (4,))

    @pytest.mark.parametrize("off", ["nil", "false"])
    def test_nothing_ends_what_an_expression_around_said(self, desk, off):
        text = f"^{{:runtime.learning.retry {{:max-retries 2}}}} ^{{:runtime.learning.retry {off}}} (call :kv 1)"
        _, call = desk.run(text, kv=[SAFE])
        assert (desk.asked["kv"], call.hints) == (1, ())

    def test_other_names_are_not_the_host_s_to_read(self, desk):
        text = "^{:runtime.learning.mood 7 :runtime.tracing.level 9} (call :kv 1)"
        assert desk.run(text, kv=["yes"])[0] == "yes"

    def test_an_event_is_no_call_that_hints_are_for(self, desk, opened):
        with opened() as session:
            assert session.run(desk.source(program("retry", "7", '(step "s" 1)') + "(main)")).value == 1


class TestRecord:
    TEXT = """(defn main []
  ^{:runtime.learning.retry {:max-retries 2 :backoff-ms 100}
    :runtime.learning.fallback {:capability :other}}
  (call :kv 1))
(main)"""

    def opened(self, desk):
        more = {"kv": {"idempotent": True}, "other": {"idempotent": True}}
        return desk.open(more=more, kv=[UNSURE], other=[SAFE, SAFE, "at last"])

    def run(self, desk):
        with self.opened(desk) as session:
            return session.run(desk.source(self.TEXT)).run_id

    def test_runs_show_and_why_say_what_hints_did(self, desk, cli):
        run = self.run(desk)
        shown = cli("runs", "show", run)
        assert "retry repeated 2 of 2 times; fallback answered" in shown
        why = cli("runs", "why", run, "0:2")
        assert "retry: repeated 2 of 2 times" in why
        assert "capability kv again, after 0.20 s" in why
        told = json.loads(cli("runs", "why", run, "0:2", "--json"))
        assert told["hints"] == [["retry", "repeated 2 of 2 times"], ["fallback", "answered"]]

    def test_what_hints_decided_is_decided_again(self, desk, kit):
        run = self.run(desk)
        with self.opened(desk) as session, history_of(kit.journal, kit.home) as history:
            found = list(replay(session.host, history, run))
        assert [each.now for each in found] == [
            "capability other",
            "capability kv after 0.1 s",
            "capability other",
            "capability kv after 0.2 s",
            "capability other",
        ]
        assert {each.result for each in found} == {Repeated.SAME}

    def test_and_so_it_is_for_models(self, desk, kit):
        hint = "^{:runtime.learning.retry {:max-retries 2 :backoff-ms 100}}"
        text = f'(defn ^:delegation :local-model "m" f "F." [x :int] :string "") {hint} (f 1)'
        config = '[delegation.local_models.m]\nprovider = "m"\nidempotent = true\n'
        with desk.open(config, models={"m": [UNSURE_M, UNSURE_M, "yes"]}) as session:
            run = session.run(desk.source(text)).run_id
        with desk.open(config, models={"m": []}) as session, history_of(kit.journal, kit.home) as history:
            found = list(replay(session.host, history, run))
        assert [each.now for each in found] == [
            "local-model m",
            "local-model m after 0.1 s",
            "local-model m after 0.2 s",
        ]
        assert {each.result for each in found} == {Repeated.SAME}

    def test_explain_says_which_are_written_around_a_place(self, desk, opened):
        with opened() as session:
            (site,) = session.explain(desk.source(self.TEXT))
        assert site.hints == (
            ("retry", "{:max-retries 2 :backoff-ms 100}"),
            ("fallback", "{:capability :other}"),
        )
        assert site.to_json()["hints"][0] == ["retry", "{:max-retries 2 :backoff-ms 100}"]


class TestPolicy:
    """A file that nobody trusts lets hints ask for less, never for more."""

    @pytest.mark.parametrize(
        ("own", "found", "left"),
        [
            ("", "max_retries = 1", 1),
            ("", "max_retries = 5", 3),
            ("max_retries = 2", "max_retries = 3", 2),
            ("", "fallback = false", False),
            ("fallback = false", "fallback = true", False),
            ("", 'cache = "off"', "off"),
            ("", 'cache = "any"', "deterministic"),
            ('cache = "any"', 'cache = "deterministic"', "deterministic"),
            ("", "max_ttl = 7200", 3600),
            ("", "max_cooldown = 30", 30),
        ],
    )
    def test_it_only_narrows(self, found_over_own, own, found, left):
        config = found_over_own(f"[hints]\n{found}\n", own=f"[hints]\n{own}\n")
        key = found.partition(" ")[0]
        assert getattr(config.hints, key) == left

    @pytest.mark.parametrize(
        "wrong",
        ["max_retries = 8", "max_retries = -1", 'cache = "all"', "max_ttl = 0", "max_entries = 0", "retries = 1"],
    )
    def test_what_no_policy_can_be_is_refused(self, kit, wrong):
        with pytest.raises(ConfigError, match=r"delegation.toml:2:\d+: error\[E070"):
            kit.open(config=f"[hints]\n{wrong}\n")


@pytest.fixture
def cli(kit, monkeypatch, capsys):
    """Return a function that runs `rtfs` where the desk's journal lies."""
    from rtfs_framework.cli.main import run

    monkeypatch.setenv("RTFS_HOME", str(kit.home))

    def ran(*args):
        capsys.readouterr()
        assert run(list(args)) == 0
        return capsys.readouterr().out

    return ran
