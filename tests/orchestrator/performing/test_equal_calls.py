"""Equal calls at once: one is sent; what ended it for its own reasons is not the failure of those who wait."""

from __future__ import annotations

from threading import Event, Timer
from types import SimpleNamespace

import anyio
import attrs
import pytest

from rtfs_framework.api import BadReply, FailureKind, InferenceReply, ProviderUnavailable, Usage
from rtfs_framework.api.remote import RemoteRun
from rtfs_framework.lang.errors import ProgramError

HINT = "^{:runtime.learning.timeout {:absolute-ms 1000}}"
PROGRAM = '(defn label "Label." [x :string] :string "own") (defn main [x] (label x))'
HINTED = PROGRAM.replace("(label x)", f"{HINT} (label x)")
CONFIG = "[delegation]\nstatic_routes = { label = 'local-a' }\non_exhausted = 'error'\n"


class Scripted:
    """Answers with its script, one after the other, after so many seconds each."""

    def __init__(self, *script):
        self.script, self.asked = script, 0

    async def __call__(self, _):
        seconds, said = self.script[self.asked]
        self.asked += 1
        await anyio.sleep(seconds)
        if isinstance(said, Exception):
            raise said
        if isinstance(said, InferenceReply):
            return said
        return InferenceReply(text=said, model="m", usage=Usage(7, 3))


@pytest.fixture
def both(kit, source):
    """Return what two runs of a program give when the second is begun while the first is under way, and the model."""

    def ran(text, *script, config=CONFIG, stop=None, deterministic=True):
        model, found = Scripted(*script), {}

        async def one(session, name, stop=None):
            with anyio.move_on_after(stop):
                try:
                    result = await session.run_async(source(text), ("x",))
                    (found[name],) = [call for call in result.calls if call.kind == "delegated"]
                except ProgramError as error:
                    found[name] = error

        async def two(session):
            async with anyio.create_task_group() as group:
                group.start_soon(one, session, "first", stop)
                while not model.asked:  # noqa: ASYNC110 - what is looked at is the fake's
                    await anyio.sleep(0.005)
                await anyio.sleep(0.2)
                group.start_soon(one, session, "second")

        provider = kit.provider("a", model, deterministic=deterministic)
        with kit.open(kit.catalog(provider, l2=True), config) as session:
            anyio.run(two, session)
        return found, model

    return ran


def test_one_whose_own_time_is_over_is_followed_by_the_next(both):
    found, model = both(HINTED, (30.0, "never"), (0.0, "second"))
    assert found["first"].kind == "NetworkError"
    assert (found["second"].cache, found["second"].output_tokens, model.asked) == ("l2 miss", 3, 2)


def test_one_that_is_stopped_is_followed_by_the_next(both):
    found, model = both(PROGRAM, (30.0, "never"), (0.0, "second"), stop=1.5)
    assert "first" not in found
    assert (found["second"].output_tokens, model.asked) == (3, 2)


def test_a_failure_of_the_model_is_that_of_all(both):
    gone = ProviderUnavailable("a", "gone", failure=FailureKind.HERE)
    found, model = both(PROGRAM, (1.0, gone))
    assert [str(each) for each in found.values()] == ["a: gone"] * 2
    assert model.asked == 1


def test_what_is_final_for_one_is_not_for_the_other(both):
    final = ProviderUnavailable("a", "enough", failure=FailureKind.FINAL)
    found, model = both(PROGRAM, (1.0, final), (0.0, "second"))
    assert str(found["first"]) == "a: enough"
    assert (found["second"].output_tokens, model.asked) == (3, 2)


NUMBER = PROGRAM.replace('[x :string] :string "own"', "[x :string] :int 0")
ALWAYS = CONFIG + "[delegation.local_models.a]\nreuse = 'always'\n"


@pytest.mark.parametrize("bad", ["nine", BadReply("a", "no number", said="nine")], ids=["reply", "error"])
def test_a_reply_that_did_not_fit_is_mended_by_the_next(both, bad):
    """The first is told what is wrong, in vain; the second begins with what the first got, and has a repair, too."""
    script = ((1.0, bad), (0.0, bad), (0.0, "9"))
    found, model = both(NUMBER, *script, config=ALWAYS.replace("on_ex", "attempts = 2\non_ex"), deterministic=False)
    assert found["first"].kind == "TypeValidationError"
    second = found["second"]
    assert (second.error, model.asked, second.output_tokens) == ("", 3, 3)
    assert [(each.attempt.kind, each.output_tokens) for each in second.attempts] == [(FailureKind.REPLY, 0)]


def test_what_no_repair_is_left_for_is_the_failure_of_all(both):
    found, model = both(
        NUMBER, (1.0, "nine"), config=ALWAYS.replace("on_ex", "attempts = 1\non_ex"), deterministic=False
    )
    assert [each.kind for each in found.values()] == ["TypeValidationError"] * 2
    assert model.asked == 1


@pytest.mark.parametrize("text", ["", "{}", '{"structured": false, "confidence": 7}', None])
def test_a_kept_text_that_is_no_reply_is_dropped_and_nobody_waits_for_it(kit, source, text):
    with kit.open(kit.catalog(kit.provider("a", lambda _: "new", deterministic=True), l2=True), CONFIG) as session:
        assert session.run(source(PROGRAM), ("x",)).value == "new"
        layer = kit.layers["l2"]
        ((slot, record),) = layer.records.items()
        layer.records[slot] = attrs.evolve(record, value=text)

        def claim(key, lease):
            """Give the right, as l2 does, unless the reply is there; whoever asks for ever is told."""
            asked.append(key)
            if len(asked) > 9:
                raise OSError("asked for ever")
            return None if (key.namespace, key.digest) in layer.records else SimpleNamespace(release=lambda: None)

        layer.claim, asked = claim, []
        assert session.run(source(PROGRAM), ("x",)).value == "new"
        assert session.problems == ()
        assert layer.records[slot].value == record.value


def test_who_waited_for_another_process_looks_once_more_before_it_pays(kit, source):
    with kit.open(kit.catalog(kit.provider("a", lambda _: "new", deterministic=True), l2=True), CONFIG) as session:
        session.run(source(PROGRAM), ("x",))
        layer, asked, released = kit.layers["l2"], [], []
        ((slot, record),) = layer.records.items()
        layer.records.clear()

        def claim(key, lease):
            """Another process has the right at first, and gives it back when its reply is there."""
            asked.append(key)
            if len(asked) == 1:
                return None
            layer.records[slot] = record
            return SimpleNamespace(release=lambda: released.append(key))

        layer.claim = claim
        result = session.run(source(PROGRAM), ("x",))
        assert (result.value, result.calls[0].cache, len(released)) == ("new", "in flight", 1)
        assert len(kit.providers["a"].requests) == 1


def test_a_right_that_comes_after_its_call_was_cancelled_is_given_back(kit, source):
    begun, go_on, released = Event(), Event(), Event()

    def claim(key, lease):
        begun.set()
        assert go_on.wait(30)
        return SimpleNamespace(release=released.set)

    async def cancelled(session):
        async with anyio.create_task_group() as group:
            group.start_soon(session.run_async, source(PROGRAM), ("x",))
            await anyio.to_thread.run_sync(begun.wait, 30)
            group.cancel_scope.cancel()
            Timer(0.3, go_on.set).start()  # when that has reached the thread in which providers are awaited

    with kit.open(kit.catalog(kit.provider("a", lambda _: "new", deterministic=True), l2=True), CONFIG) as session:
        session.run(source(PROGRAM), ("y",))
        kit.layers["l2"].claim = claim
        anyio.run(cancelled, session)
        assert released.wait(30)


LABELLED = f"{CONFIG}[labels.inputs]\nemail = ['pii']\n"
CAUGHT = PROGRAM.replace("(label x))", '(try (label x) (catch _ "none")))')


MENDED = InferenceReply(text="mended", remote=RemoteRun(host="h", run="r", head="", labels=frozenset()))


def _marked(error):
    error.labels = frozenset({"secret"})
    return error


@pytest.mark.parametrize(
    ("script", "deterministic"),
    [
        ([(0.5, _marked(ProviderUnavailable("a", "it is down")))], True),
        ([(0.5, _marked(BadReply("a", "no JSON", said="{"))), (0.0, MENDED)], False),
    ],
    ids=["a failure", "words that a model is told again"],
)
def test_whoever_shares_the_failure_of_an_equal_call_has_its_marks(both, script, deterministic):
    config = LABELLED if deterministic else f"{LABELLED}[delegation.local_models.a]\nprovider = 'a'\nreuse = 'always'\n"
    found, model = both(CAUGHT, *script, config=config, deterministic=deterministic)
    assert model.asked <= len(script)
    marks = {name: getattr(call.labelled, "brought", None) for name, call in found.items()}
    assert marks == {"first": {"secret"}, "second": {"secret"}}
