"""Guards at work in a host: what is sent, what is seen, what follows a refusal, and what stands in the record."""

from __future__ import annotations

import threading

import pytest

from rtfs_framework.api import (
    BadReply,
    ConfigError,
    FailureKind,
    GuardEntry,
    InferenceReply,
    LocalModel,
    ProgramError,
    ProviderAuthError,
    ProviderError,
    ProviderUnavailable,
    RateLimited,
    RedactArgs,
    RedactReply,
    Refuse,
    ReplyTooLarge,
    Usage,
    with_texts,
)

PROGRAM = '(defn f "Says." [x : :string] : :string "own") (defn main [x] (f x))'
ROUTES = '[delegation]\nstatic_routes = { f = ["local-m", "local-n"] }\n[guards.g]\n'


class Guard:
    """Takes `secret` out of requests and replies, or refuses what a function says of it."""

    def __init__(self, request=None, reply=None):
        self.request, self.reply = request, reply

    def check_request(self, guarded):
        if self.request is not None:
            return self.request(guarded)
        args = with_texts(guarded.request.args, clean)
        return None if args is guarded.request.args else RedactArgs(args, "1 secret")

    def check_reply(self, guarded, reply):
        if self.reply is not None:
            return self.reply(reply)
        return RedactReply(clean(reply.text)) if "secret" in (reply.text or "") else None


def clean(text):
    return text.replace("secret", "[removed]") if "secret" in text else text


@pytest.fixture
def hosted(kit):
    """Return a function that opens a session with a guard `g` and models `m` and `n`."""

    def load(guard, config=ROUTES, answer="said secret", blocking=False, **more):
        models = [kit.provider(name, lambda _, name=name: f"{name} {answer}", **more) for name in ("m", "n")]
        entry = GuardEntry(name="g", summary="", factory=lambda _: guard, blocking=blocking)
        return kit.open(kit.catalog(*models, guards=[entry], l2=True), config)

    return load


@pytest.mark.parametrize("blocking", [False, True])
def test_what_is_redacted_is_not_sent_and_not_seen(kit, source, hosted, blocking):
    with hosted(Guard(), blocking=blocking) as session:
        result = session.run(source(PROGRAM), ("my secret",))
    (request,) = kit.providers["m"].requests
    assert request.args == ("my [removed]",)
    assert "secret" not in "".join(message.content for message in request.messages)
    assert "my [removed]" in request.messages[-1].content
    assert result.value == "m said [removed]"
    steps = result.calls[0].decision.steps
    assert ("guard g", "redacted arguments: 1 secret") in steps
    assert ("guard g", "redacted the reply") in steps


def test_a_refused_request_goes_to_the_next_target_and_is_not_sent(kit, source, hosted):
    guard = Guard(request=lambda guarded: Refuse("not there") if guarded.target.id == "m" else None)
    with hosted(guard) as session:
        result = session.run(source(PROGRAM), ("x",))
    assert not kit.providers["m"].requests
    (call,) = result.calls
    assert call.target == "local-model n"
    (attempt,) = call.attempts
    assert (attempt.attempt.kind, attempt.attempt.guard) == (FailureKind.REFUSED, "g")
    assert "not there" in attempt.attempt.reason


def test_a_refused_reply_is_a_bad_reply_and_is_paid(kit, source, hosted):
    guard = Guard(reply=lambda reply: Refuse("rude") if reply.text.startswith("m") else None)
    with hosted(guard) as session:
        (call,) = session.run(source(PROGRAM), ("x",)).calls
    assert call.target == "local-model n"
    assert [each.attempt.kind for each in call.attempts] == [FailureKind.REPLY]
    assert len(kit.providers["m"].requests) == 1


@pytest.mark.parametrize("said", ["my secret", None])
def test_an_error_that_quotes_a_reply_is_judged_like_one(kit, source, said):
    async def babbles(_):
        raise BadReply("m", "that is no JSON: 'my secret'", said=said)

    entry = GuardEntry(name="g", summary="", factory=lambda _: Guard())
    config = '[delegation]\non_exhausted = "error"\nstatic_routes = { f = "local-m" }\n[guards.g]\n'
    catalog = kit.catalog(kit.provider("m", babbles, deterministic=False), guards=[entry])
    with kit.open(catalog, config) as session, pytest.raises(ProgramError, match="a guard took") as raised:
        session.run(source(PROGRAM), ("x",))
    assert "secret" not in str(raised.value)
    asked = kit.providers["m"].requests
    assert len(asked) == (1 if said is None else 2)
    assert "secret" not in "".join(message.content for request in asked for message in request.messages)


def raising(kit, error, guard=None, environ=None, **more):
    async def fails(_):
        raise error

    entry = GuardEntry(name="g", summary="", factory=lambda _: guard or Guard())
    table = '[health]\nstate = "disabled"\n' + ("" if guard is None else "[guards.g]\n")
    config = f'[delegation]\non_exhausted = "error"\nattempts = 1\nstatic_routes = {{ f = "local-m" }}\n{table}'
    more.setdefault("deterministic", False)
    options = {"environ": {**kit.environ, **(environ or {})}}
    return kit.open(kit.catalog(kit.provider("m", fails, **more), guards=[entry]), config, **options)


ERRORS = [
    ProviderError("m", "400: 'my secret'", status=400),
    RateLimited("m", "slow down, secret", retry_after=2.5),
    ProviderAuthError("m", "what is secret?", status=401),
    ProviderUnavailable("m", "secret", status=503, failure=FailureKind.SAFE, usage=Usage(3, 0)),
    ReplyTooLarge("m", "it begins with secret"),
    ValueError("no JSON: secret"),
]


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_any_error_quotes_is_judged_and_its_evidence_stays(kit, source, error, refuses):
    judge = (lambda reply: Refuse("rude") if "secret" in reply.text else None) if refuses else None
    with raising(kit, error, Guard(reply=judge)) as session:
        with pytest.raises(ProgramError) as raised:
            session.run(source(PROGRAM), ("x",))
        (call,) = session.run(source(f'{PROGRAM} (try (f "x") (catch _ e 1))')).calls
        told = f"{session.problems} {raised.value} {raised.value.value} {call}"
    assert "secret" not in told
    assert "g" in str(raised.value)
    (attempt,) = call.attempts
    if isinstance(error, ProviderError) and not (refuses and isinstance(error, BadReply)):
        assert attempt.attempt.kind is error.failure
        assert attempt.attempt.retry_after == error.retry_after
        data = {key.name: value for key, value in raised.value.value.data.items()}
        assert (data["code"], data.get("status")) == (error.code, error.status)


def test_an_error_that_quotes_nothing_wrong_is_shown_as_it_is(kit, source):
    failing = raising(kit, ProviderError("m", "400: too long"), Guard())
    with failing as session, pytest.raises(ProgramError, match="m: 400: too long"):
        session.run(source(PROGRAM), ("x",))


@pytest.mark.parametrize("error", [ProviderAuthError("m", "no such key: sk-0123456789"), OSError("at sk-0123456789")])
def test_a_secret_of_the_host_is_struck_out_of_every_error(kit, source, error):
    with raising(kit, error, environ={"ACME_API_KEY": "sk-0123456789"}) as session:
        with pytest.raises(ProgramError) as raised:
            session.run(source(PROGRAM), ("x",))
        told = f"{raised.value} {session.problems}"
    assert "0123456789" not in told
    assert "secret" in told


@pytest.mark.parametrize("immediate", [False, True])
def test_a_model_s_name_and_its_explanation_go_with_what_is_taken_out(kit, source, immediate):
    def answers(_):
        return InferenceReply(text="my secret", model="m-secret", explanation="secret", problems=("a secret",))

    entry = GuardEntry(name="g", summary="", factory=lambda _: Guard())
    provider = kit.provider("m", answers, deterministic=True, immediate=immediate)
    with kit.open(kit.catalog(provider, guards=[entry]), ROUTES.replace(', "local-n"', "")) as session:
        result = session.run(source(PROGRAM), ("x",))
        told = f"{result} {session.problems}"
    assert "secret" not in told
    assert result.value == "my [removed]"


def test_a_model_s_name_and_its_explanation_hold_no_secret_of_the_host_and_no_other_line(kit, source):
    def answers(_):
        name = "m sk-0123456789\nx" + "y" * 999
        return InferenceReply(text="a", model=name, explanation="by sk-0123456789", problems=("sk-0123456789 is odd",))

    options = {"environ": {**kit.environ, "ACME_API_KEY": "sk-0123456789"}}
    config = '[delegation]\nstatic_routes = { f = "local-m" }\n[journal]\nkeep = "replies"\n'
    with kit.open(kit.catalog(kit.provider("m", answers)), config, **options) as session:
        result = session.run(source(PROGRAM), ("x",))
        told = f"{result} {session.problems}"
    (call,) = result.calls
    assert "0123456789" not in told
    assert call.model.startswith("m [secret] xy")
    assert len(call.model) == 200
    assert "[secret] is odd" in told


def test_an_error_of_a_provider_that_never_waits_is_judged_too(kit, source):
    def babbles(_):
        raise BadReply("m", "that is no JSON: 'my secret'")

    entry = GuardEntry(name="g", summary="", factory=lambda _: Guard())
    config = '[delegation]\non_exhausted = "error"\nstatic_routes = { f = "local-m" }\n[guards.g]\n'
    catalog = kit.catalog(kit.provider("m", babbles, deterministic=True, immediate=True), guards=[entry])
    with kit.open(catalog, config) as session, pytest.raises(ProgramError, match="a guard took") as raised:
        session.run(source(PROGRAM), ("x",))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("wrong", [ZeroDivisionError("x"), "yes"])
def test_a_broken_guard_lets_nothing_pass_and_is_told(kit, source, hosted, wrong):
    def breaks(_):
        if isinstance(wrong, Exception):
            raise wrong
        return wrong

    with hosted(Guard(request=breaks)) as session:
        result = session.run(source(PROGRAM), ("x",))
        (problem,) = session.problems
    assert result.value == "own"
    assert not any(made.requests for made in kit.providers.values())
    assert "guard 'g': `check_request`" in problem.message


def test_a_guard_that_does_not_answer_lets_nothing_pass(kit, source, hosted, monkeypatch):
    let_go = threading.Event()
    with hosted(Guard(request=lambda _: let_go.wait(20)), blocking=True) as session:
        guards = session.host.dispatcher.models.sender.guards
        object.__setattr__(guards, "seconds", 0.05)
        assert session.run(source(PROGRAM), ("x",)).value == "own"
        let_go.set()
    assert not any(made.requests for made in kit.providers.values())


def test_what_the_author_insists_on_is_an_error_that_names_the_guard(source, hosted):
    program = source(PROGRAM.replace("defn f", 'defn ^:delegation :local-model "m" f'))
    said = "the guard 'g' refuses: never; ask the boss"
    with hosted(Guard(request=lambda _: Refuse("never", "ask the boss"))) as session:  # noqa: SIM117 - two things
        with pytest.raises(ProgramError, match=said) as raised:
            session.run(program, ("x",))
    assert raised.value.kind == "SecurityViolation"


def test_a_remembered_reply_is_of_the_same_guards(kit, source, hosted):
    asked = []
    for config in (ROUTES, ROUTES, ROUTES + "symbols = ['f']\n"):
        with hosted(Guard(), config, deterministic=True) as session:
            assert session.run(source(PROGRAM), ("a secret",)).value == "m said [removed]"
        asked.append(len(kit.providers["m"].requests))
    assert asked == [1, 0, 1]


def test_without_a_table_it_is_not_at_work(source, hosted):
    with hosted(Guard(), ROUTES.replace("[guards.g]\n", "")) as session:
        assert session.run(source(PROGRAM), ("my secret",)).value == "m said secret"
    with hosted(Guard(), ROUTES + "enabled = false\n") as session:
        assert session.run(source(PROGRAM), ("my secret",)).value == "m said secret"


@pytest.mark.parametrize(
    ("table", "code", "said", "way_out"),
    [
        ("[guards.gg]", "E0706", "no guard is called 'gg'", "'g'"),
        ('[guards.mine]\nplugin = "gg"', "E0706", "no guard is called 'gg'", "'g'"),
        ("[guards.g]\nenable = true", "E0702", "unknown key 'enable'", "'enabled'"),
        ('[guards.g]\ntargets = ["local-mm", "remote-*"]', "E0706", "no local model 'mm'", "local-m"),
        ('[guards.g]\ntargets = "local-m"', "E0703", "targets", ""),
        ("[guards.g]\nplugin = 7", "E0703", "plugin", ""),
    ],
)
def test_a_bad_table_is_refused(hosted, table, code, said, way_out):
    with pytest.raises(ConfigError) as raised:
        hosted(Guard(), table + "\n")
    (found,) = raised.value.diagnostics
    assert found.code == code
    assert said in found.message
    assert way_out in (found.help or "")


def test_consultations_are_guarded_too(kit, source):
    seen = []

    class Asks:
        def claims(self):
            return ("f",)

        def decide(self, context):
            context.consult(kit_target, f"where does {context.args[0]} go?")

    kit_target = LocalModel("m")
    model = kit.provider("m", lambda request: seen.append(request) or InferenceReply(text="here"))
    entry = GuardEntry(name="g", summary="", factory=lambda _: Guard())
    with kit.open(kit.catalog(model, engine=Asks(), guards=[entry]), "[guards.g]\n") as session:
        session.run(source(PROGRAM), ("my secret",))
    assert [request.messages[0].content for request in seen] == ["where does my [removed] go?"]


def test_what_is_configured_is_shown(hosted):
    from rtfs_framework.cli.shown.settings import settings_of

    config = "[guards.g]\ntargets = ['local-m']\n[approvals]\ntimeout = '1 min'\n"
    with hosted(Guard(), config) as session:
        shown = {each.key: each.value for each in settings_of(session.host.config, session.host.catalog, {})}
    assert shown["guards.g.targets"] == ["local-m"]
    assert shown["approvals.timeout"] == 60.0
