"""`@delegated`: a typed Python function is a call of RTFS, and its own body what happens here."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Optional

import pytest

import rtfs_framework as rtfs
from rtfs_framework.api import ProviderUnavailable
from rtfs_framework.front.delegated import Delegated

Mood = Literal["positive", "negative", "neutral"]


@rtfs.delegated
def mood(text: str) -> Mood:
    """The mood of a customer's message."""
    return "negative" if "broke" in text else "neutral"


@rtfs.delegated
def later(order: Order, count: int = 2, *tags: str, urgent: bool = False, **weights: float) -> list[str]:
    """Sort an order."""
    return [order.id, str(count), *tags, str(urgent), *weights]


@dataclass
class Order:
    """Defined after the function that takes it."""

    id: str
    note: Optional[str] = None  # noqa: UP045 - as people write it


class Shop:
    """Has methods."""

    def __init__(self, city):
        self.city = city

    @rtfs.delegated
    def greet(self, name: str) -> str:
        """Greet a customer."""
        return f"{name} of {self.city}"

    @classmethod
    @rtfs.delegated
    def of_class(cls, name: str) -> str:
        """Greet a customer, whatever the shop."""
        return f"{name} of {cls.__name__}"

    @staticmethod
    @rtfs.delegated
    def of_nobody(name: str) -> str:
        """Greet a customer, of no shop."""
        return name


@rtfs.delegated
async def slowly(text: str) -> str:
    """Say it after a while."""
    await asyncio.sleep(0)
    return text


@rtfs.delegated
def nothing(text: str) -> str:
    """What no body says."""


@rtfs.delegated(local_model="llama", name="tone-of-voice")
def tone(text: str) -> Mood:
    """The tone of a text."""


@pytest.fixture
def opened(kit):
    """Return a function that opens a session whose local model answers by a function of the request."""
    sessions = []

    def open_(answer=None, **options):
        providers = [] if answer is None else [kit.provider("llama", answer)]
        session = rtfs.Session.open(catalog=kit.catalog(*providers), environ={"RTFS_HOME": str(kit.home)}, **options)
        sessions.append(session)
        return session

    yield open_
    for each in sessions:
        each.close()


def test_the_body_answers_where_there_is_no_model(opened):
    session = opened()
    assert mood.on(session)("It broke.") == "negative"
    assert mood.on(session)(text="Fine.") == "neutral"


def test_a_model_answers_by_the_purpose_and_the_types_of_the_function(opened, kit):
    session = opened(lambda _: '"positive"')
    assert mood.on(session)("It broke.") == "positive"
    (request,) = kit.providers["llama"].requests
    assert request.function.doc == "The mood of a customer's message."
    assert request.args == ("It broke.",)
    assert "positive" in str(request.schema)


def test_the_body_answers_when_the_model_fails(opened):
    assert mood.on(opened(lambda _: ProviderUnavailable("down")))("It broke.") == "negative"


def test_defaults_keywords_and_any_number_of_arguments_are_pythons(opened, kit):
    session = opened(lambda _: '["a"]')
    assert later.on(opened())(Order("7"), 3, "x", "y", urgent=True, w=1.0) == ["7", "3", "x", "y", "True", "w"]
    assert later.on(session)(Order("7")) == ["a"]
    (request,) = kit.providers["llama"].requests
    assert [each.name for each in request.function.parameters] == ["order", "count", "tags", "urgent", "weights"]
    assert request.args[1:4] == (2, (), False)
    with pytest.raises(TypeError, match="missing a required argument: 'order'"):
        later.on(session)()


def test_methods_are_methods(opened):
    session = opened()
    shop = Shop("Bonn")
    assert shop.greet.on(session)("Ada") == "Ada of Bonn"
    assert Shop.of_nobody.on(session)("Ada") == "Ada"
    rtfs.use(session)
    try:
        assert shop.greet("Ada") == "Ada of Bonn"
        assert Shop.greet(shop, "Ada") == "Ada of Bonn"
        assert Shop.of_class("Ada") == "Ada of Shop"
    finally:
        rtfs.use(None)
    assert "[name : :string]" in Shop.greet.rtfs


def test_coroutine_functions_stay_so(opened):
    answered, own = opened(lambda _: '"from afar"'), opened()

    async def both():
        return await asyncio.gather(slowly.on(answered)("here"), slowly.on(own)("here"))

    assert asyncio.run(both()) == ["from afar", "here"]


def test_cancelling_a_task_cancels_its_call(opened):
    asked, let_go = threading.Event(), []

    async def never(_request):
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            let_go.append(True)

    session = opened(never)

    async def main():
        task = asyncio.create_task(slowly.on(session)("x"))
        await asyncio.to_thread(asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert let_go == [True]


def test_an_empty_body_is_an_error_that_names_the_ways_out(opened):
    with pytest.raises(rtfs.NoAnswerError) as caught:
        nothing.on(opened())("x")
    assert caught.value.code == "E0939"
    assert "OPENAI_API_KEY" in caught.value.help
    assert "rtfs config init" in caught.value.help


def always(text: str) -> str:
    """Say the same."""
    return "x"


def maybe(text: str) -> str | None:
    """Say something, or not."""


async def shortly(text: str) -> str:
    """Say it soon."""


async def surely(text: str) -> bool:
    """Say yes."""
    return True


@pytest.mark.parametrize(("function", "answer"), [(always, "x"), (maybe, None), (surely, True)])
def test_a_body_that_says_the_same_each_time_is_one(opened, function, answer):
    found = rtfs.delegated(function).on(opened())("y")
    assert (asyncio.run(found) if inspect.iscoroutine(found) else found) is answer


def test_an_empty_body_of_a_coroutine_function_is_an_error_too(opened):
    with pytest.raises(rtfs.NoAnswerError):
        asyncio.run(rtfs.delegated(shortly).on(opened())("y"))


def test_an_error_of_the_body_is_the_body_s_alone(opened):
    @rtfs.delegated
    def fails(text: str) -> str:
        """Fail."""
        raise KeyError(text)

    with pytest.raises(KeyError) as caught:
        fails.on(opened())("x")
    assert caught.value.__context__ is None


def test_the_authors_word_counts_and_the_name_is_his(opened):
    session = opened(lambda _: '"neutral"')
    assert tone.on(session)("x") == "neutral"
    assert '(defn tone-of-voice\n  "The tone of a text."\n  ^:delegation :local-model "llama"' in tone.rtfs
    with pytest.raises(rtfs.LanguageError) as caught:
        tone.on(opened())("x")
    assert caught.value.code == "E0712"
    assert caught.value.place is not None


def test_an_argument_of_another_type_is_refused_before_anything_runs(opened, kit):
    session = opened(lambda _: '"neutral"')
    with pytest.raises(rtfs.ConversionError, match="text of mood is no str: it is an integer") as caught:
        mood.on(session)(7)
    assert caught.value.code == "E0938"
    assert kit.providers["llama"].requests == []


def test_it_is_the_function_for_whoever_looks(opened):
    assert isinstance(mood, Delegated)
    assert mood.__name__ == "mood"
    assert str(inspect.signature(mood)) == "(text: 'str') -> 'Mood'"
    assert mood.__wrapped__("It broke.") == "negative"
    assert repr(mood).startswith("<delegated ")


def test_it_is_copied_as_a_function_is():
    assert copy.deepcopy(mood) is mood
    assert mood.__reduce__() == "mood"


def test_a_module_that_is_loaded_again_has_its_functions_again(tmp_path, monkeypatch, opened):
    (tmp_path / "acme_mod.py").write_text(
        "from __future__ import annotations\nimport rtfs_framework as rtfs\n\n\n@rtfs.delegated\n"
        'def name(x: int) -> int:\n    """Name it."""\n    return x\n',
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    import acme_mod

    first, session = acme_mod.name, opened()
    assert pickle.loads(pickle.dumps(first)) is first
    again = importlib.reload(acme_mod).name
    assert again is not first
    assert (first.on(session)(1), again.on(session)(2)) == (1, 2)


def test_32_threads_share_a_session_and_a_program(opened, kit):
    session = opened(lambda request: f'"{["positive", "negative"][len(request.args[0]) % 2]}"')
    ask = mood.on(session)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, ["x" * n for n in range(96)]))
    assert answers == ["positive", "negative"] * 48
    assert len({id(each) for each in mood._programs.values()}) == len(mood._programs)


def refused(function, match):
    with pytest.raises(rtfs.ConversionError, match=match) as caught:
        rtfs.delegated(function).rtfs  # noqa: B018 - read for its errors
    assert caught.value.code == "E0937"
    assert caught.value.help


def test_what_cannot_be_delegated_says_why():
    def undocumented(x: int) -> int:
        return x

    def untyped(x) -> int:
        """Doc."""
        return x

    def unreturned(x: int):
        """Doc."""
        return x

    def anything(x: complex) -> int:
        """Doc."""
        return int(x.real)

    def unknown(x: Nowhere) -> int:  # noqa: F821 - the point
        """Doc."""
        return x

    def generator(x: int) -> int:
        """Doc."""
        yield x

    def loop(x: int) -> int:
        """Doc."""
        return x

    refused(undocumented, "nothing says what it is for")
    refused(untyped, "its parameter x has no type")
    refused(unreturned, "what it returns has no type")
    refused(anything, "complex, which is no type of RTFS")
    refused(unknown, "names the type Nowhere, which is not there")
    refused(generator, "is a generator")
    refused(loop, "loop is a special form of RTFS")
    with pytest.raises(rtfs.ConversionError, match="runs at one place"):
        rtfs.delegated(remote="a", local_model="b")


def test_types_of_a_scope_are_known_there(opened):
    @dataclass
    class Inner:
        n: int

    @rtfs.delegated
    def doubled(inner: Inner) -> Inner:
        """Double it."""
        return Inner(inner.n * 2)

    assert doubled.on(opened())(Inner(2)) == Inner(4)
    assert doubled.on(opened(lambda _: '{"n": 9}'))(Inner(2)) == Inner(9)
