"""`@delegated`: a typed Python function whose calls go where the host says, its own body among the places.

A call is one of RTFS (`calls`): the host decides, asks a model, remembers, writes down. Where it decides for the
function's own body, the Python function runs, in the caller's thread, with the arguments as they were given.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable
from types import CodeType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload
from weakref import WeakKeyDictionary

from rtfs_framework.front.calls import BODY, CallForm, call_form, is_method
from rtfs_framework.front.session import InLoop, Session, current, folder_of, itself
from rtfs_framework.lang.errors import ProgramError, RtfsError
from rtfs_framework.orchestrator.boundary.misfits import ANNOTATION, ConversionError
from rtfs_framework.orchestrator.boundary.names import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtfs_framework.orchestrator.running.program import LoadedProgram

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")

_TRIVIAL = frozenset(
    {"RESUME", "NOP", "RETURN_VALUE", "RETURN_GENERATOR", "POP_TOP", "GEN_START", "CALL_INTRINSIC_1", "RERAISE",
     "CACHE", "COPY_FREE_VARS"}
)  # fmt: skip
"""What the code of a function does that does nothing, besides naming `...` or None."""
_NAMING = frozenset({"LOAD_CONST", "RETURN_CONST"})


class NoAnswerError(RtfsError):
    """A delegated function that no model answers, and whose body is empty."""

    code = "E0939"

    def __init__(self, name: str) -> None:
        self.way_out = (
            "set OPENAI_API_KEY or RTFS_LOCAL_MODEL_PATH, write a delegation.toml (`rtfs config init`), "
            "or give the function a body"
        )
        why = "no model was asked or none gave an answer of its type"
        self.problem = f"nothing answers {name}: {why}, and its body is empty"
        super().__init__(f"error[{self.code}]: {self.problem}\n  help: {self.way_out}")


class Delegated(Generic[P, R]):
    """A function whose calls may be answered elsewhere; called as the function that it was made of.

    `rtfs` is the text of the program that a call runs; `__wrapped__` is the function itself.
    """

    def __init__(
        self, function: Callable[P, R], name: str, hint: str, scope: Mapping[str, object], session: Session | None
    ) -> None:
        _check_function(function)
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        self._name, self._hint, self._scope, self._session = name, hint, scope, session
        self._form: CallForm | None = None
        self._lock = threading.Lock()
        self._programs: WeakKeyDictionary[Session, LoadedProgram] = WeakKeyDictionary()
        self.waits = inspect.iscoroutinefunction(function)
        if self.waits:
            _mark_coroutine(self)
        self._method = is_method(function)
        self._folder = folder_of(getattr(function, "__globals__", {}))
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            message = f"{function.__qualname__} is a generator, whose items no reply can be"
            raise ConversionError(message, "return a list", code=ANNOTATION)
        with contextlib.suppress(NameError):  # it names a class that is defined further down: known when it is called
            self._form = self._formed()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function: here, or wherever the host decides."""
        return self.called(None, args, kwargs)

    def on(self, session: Session | InLoop) -> Callable[P, R]:
        """Return the function, called in a session of one's own."""
        return _Bound[P, R](self, itself(session), ())

    @overload
    def __get__(  # type: ignore[misc]  # its class is one for all signatures; it is checked where it is used
        self: Callable[Concatenate[type[S], Q], R], instance: S | None, owner: type[S] | None = None
    ) -> _Bound[Q, R]: ...
    @overload
    def __get__(self, instance: None, owner: object = None) -> Delegated[P, R]: ...
    @overload
    def __get__(self: Callable[Concatenate[S, Q], R], instance: S, owner: object = None) -> _Bound[Q, R]: ...
    @overload
    def __get__(self, instance: object, owner: object = None) -> Delegated[P, R]: ...
    def __get__(self, instance: object, owner: object = None) -> object:
        """Return the function of an object, as of any method."""
        return self if instance is None else _Bound[..., R](self, None, (instance,))

    def __reduce__(self) -> str:
        return self.__wrapped__.__qualname__

    def __repr__(self) -> str:
        return f"<delegated {self.__module__}.{self.__wrapped__.__qualname__}>"

    @property
    def rtfs(self) -> str:
        """The text of the program that a call runs."""
        return self._known().source.text

    def _known(self) -> CallForm:
        if self._form is None:
            try:
                self._form = self._formed()
            except NameError as error:
                message = f"{self.__wrapped__.__qualname__} names the type {error.name}, which is not there"
                raise ConversionError(message, "define it at the top of its module", code=ANNOTATION) from None
        return self._form

    def _formed(self) -> CallForm:
        form = call_form(self.__wrapped__, self._name, self._hint, self._scope)
        self._scope = {}  # what else the definer's names hold need not live as long as this
        return form

    def called(self, session: Session | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        """Call it in a session, the current one for None."""
        form = self._known()
        values = form.values(args[1:] if self._method else args, kwargs)
        if self.waits:
            return cast("R", self._ask_async(form, session, values, args, kwargs))
        try:
            answer = self._program(session).call(form.name, values).value
        except ProgramError as error:
            if error.kind != BODY:
                raise
        else:
            taken, found = self._taken(form, answer)
            if taken:
                return cast("R", found)
        return self._held(form, self._here(args, kwargs))

    async def _ask_async(
        self, form: CallForm, session: Session | None, values: tuple[Any, ...], args: Any, kwargs: Any
    ) -> Any:
        import asyncio

        try:
            program = await asyncio.to_thread(self._program, session)
            answer = (await program.call_async(form.name, values)).value
        except ProgramError as error:
            if error.kind != BODY:
                raise
        else:
            taken, found = self._taken(form, answer)
            if taken:
                return found
        return self._held(form, await cast("Awaitable[Any]", self._here(args, kwargs)))

    def _taken(self, form: CallForm, answer: Any) -> tuple[bool, Any]:
        """Return whether an answer is of the declared type in Python, too, and it; else the body is to answer.

        Raises:
            ConversionError: It is not, and the body is empty.
        """
        try:
            return True, form.returns.out(answer, f"the answer of {form.name}")
        except ConversionError as error:
            if _is_empty(self.__wrapped__):
                raise
            import logging

            logging.getLogger("rtfs_framework").warning("%s; the function's own body answers instead", error.problem)
            return False, None

    def _held(self, form: CallForm, found: S) -> S:
        """Return what the function's own body returned, as it is: callers may go by its type wherever it came from.

        Raises:
            ConversionError: E0938, it is not of the declared type.
        """
        form.returns.into(found, f"what the body of {self.__wrapped__.__qualname__} returns")
        return found

    def _here(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        """Run the function's own body.

        Raises:
            NoAnswerError: It is empty.
        """
        if _is_empty(self.__wrapped__) and "nil" not in self._known().returns.kinds:
            raise NoAnswerError(self.__wrapped__.__qualname__)
        return self.__wrapped__(*args, **kwargs)

    def _program(self, given: Session | None) -> LoadedProgram:
        """Return the program of a session, loaded once."""
        session = given or self._session or current(self._folder)
        with self._lock:
            found = self._programs.get(session)
            if found is None or (found.closed and not session.portal.uses.closing):
                form = self._known()
                found = self._programs[session] = session.load(form.source)
                found.unfit = None if form.returns.same else form.unfit
            return found


class _Bound(Generic[P, R]):
    """A delegated function with what is given already: a session, or the object that it is a method of."""

    def __init__(self, function: Delegated[..., R], session: Session | None, given: tuple[object, ...]) -> None:
        functools.update_wrapper(self, function.__wrapped__, updated=())
        self._function, self._session, self._given = function, session, given
        if function.waits:
            _mark_coroutine(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._function.called(self._session, (*self._given, *args), kwargs)

    def on(self, session: Session | InLoop) -> Callable[P, R]:
        """Return it, called in a session of one's own."""
        return _Bound[P, R](self._function, itself(session), self._given)

    @property
    def __self__(self) -> object:
        """The object that it is a method of."""
        if not self._given:
            raise AttributeError("__self__")
        return self._given[0]

    @property
    def __signature__(self) -> inspect.Signature:
        """What it takes still."""
        whole = inspect.signature(self._function.__wrapped__)
        return whole.replace(parameters=list(whole.parameters.values())[len(self._given) :])

    def _parts(self) -> tuple[object, ...]:
        return self._function, self._session, *map(id, self._given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bound) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __reduce__(self) -> tuple[object, ...]:
        if self._session is not None:
            message = "a function in a session of one's own cannot be pickled; pickle the function"
            raise TypeError(message)
        return getattr, (*self._given, self._function.__wrapped__.__name__)

    def __repr__(self) -> str:
        return f"<{repr(self._function)[1:-1]}{' of ' + repr(self._given[0]) if self._given else ''}>"


def _mark_coroutine(function: Any) -> None:
    """Have a callable taken for a coroutine function by those who ask: `inspect` since Python 3.12, else `asyncio`."""
    mark = getattr(inspect, "markcoroutinefunction", None)
    if mark is not None:
        mark(function)
    else:
        from asyncio import coroutines

        function._is_coroutine = getattr(coroutines, "_is_coroutine", None)


def _check_function(given: Any) -> None:
    """Refuse what is no function.

    Raises:
        ConversionError: E0937.
    """
    kind = type(given).__name__
    if isinstance(given, classmethod | staticmethod | property | functools.cached_property):
        raise ConversionError(f"a {kind} is no function", f"put @delegated inside: below @{kind}", code=ANNOTATION)
    if isinstance(given, type) or not callable(given) or not hasattr(given, "__qualname__"):
        what = "a class" if isinstance(given, type) else f"an object of the class {kind}"
        raise ConversionError(f"{what} is no function", "write a function (def) that calls it", code=ANNOTATION)


@overload
def delegated(function: Callable[P, R], /) -> Delegated[P, R]: ...
@overload
def delegated(
    *,
    name: str | None = None,
    local_model: str | None = None,
    remote: str | None = None,
    target: str | None = None,
    session: Session | InLoop | None = None,
) -> Callable[[Callable[P, R]], Delegated[P, R]]: ...
def delegated(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    local_model: str | None = None,
    remote: str | None = None,
    target: str | None = None,
    session: Session | InLoop | None = None,
) -> object:
    """Let a typed function's calls be answered by a model, a cache or its own body, as the host decides.

    Its parameters and what it returns need types (docs/python.md has the table). Its docstring says what it is for, and
    is what a model is told. Methods and `async def` functions are taken, too.

    Args:
        function: The function, where the decorator is written without brackets.
        name: What the function is called in RTFS, in rules and in the journal; its own with `-` for `_` without.
        local_model: The author's word on where it runs, which no configuration changes: a local model, by its id.
        remote: The same: a remote provider.
        target: The same: a target of the configuration.
        session: Where it runs; the current one (`use`), else the process's own, without. `f.on(session)` is for a call.

    Raises:
        ConversionError: E0937, a type is missing or unknown, or there is no docstring.
    """
    hint, own = hint_text(local_model, remote, target), None if session is None else itself(session)
    frame = sys._getframe(1)
    scope = dict(frame.f_locals) if frame.f_code.co_name != "<module>" else {}

    def made(given: Callable[..., Any]) -> Delegated[..., Any]:
        called = key_of(getattr(given, "__name__", "")) if name is None else name
        return Delegated(given, called, hint, scope, own)

    return made if function is None else made(function)


def hint_text(local_model: str | None, remote: str | None, target: str | None) -> str:
    """Return the author's hint as RTFS, with a space after it; "" without one.

    Raises:
        ConversionError: More than one is said.
    """
    from rtfs_framework.lang.printer import write

    said = {":local-model": local_model, ":remote": remote, ":target": target}
    given = [(word, id_) for word, id_ in said.items() if id_ is not None]
    if len(given) > 1:
        raise ConversionError("a function runs at one place", "say local_model, remote or target", code=ANNOTATION)
    if not given:
        return ""
    word, id_ = given[0]
    return f"^:delegation {{:target {write(id_)}}} " if word == ":target" else f"^:delegation {word} {write(id_)} "


def _is_empty(function: Callable[..., Any]) -> bool:
    """Tell whether a function's code does nothing: `...`, or a docstring alone."""
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and all(
        each.opname in _TRIVIAL or (each.opname in _NAMING and each.argval in (None, ...))
        for each in dis.get_instructions(code)
    )
