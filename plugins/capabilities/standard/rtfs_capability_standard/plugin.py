"""What this distribution offers to rtfs_framework. Handlers are imported when they are called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from rtfs_capability_standard.settings import OutputGrant, VariablesGrant
from rtfs_framework.api import (
    CapabilityEntry,
    CapabilityRequest,
    CapabilitySet,
    CapabilitySetEntry,
    CapabilitySetSettings,
    hookimpl,
)

rtfs_api_version = 2

_OPERATIONS = (
    ("add", "Adds numbers."),
    ("subtract", "Subtracts numbers."),
    ("multiply", "Multiplies numbers."),
    ("divide", "Divides numbers."),
    ("modulo", "The modulus of two numbers."),
    ("remainder", "The remainder of a division."),
    ("abs", "A number without its sign."),
    ("sqrt", "A number's square root."),
    ("min", "The smallest number."),
    ("max", "The largest number."),
)
_VARIABLE = "ccos.system.get-env"
_VARIABLE_ALIASES = ("system.get-env", "get-env")


@hookimpl
def rtfs_capabilities() -> list[CapabilityEntry]:
    """Offer them all but variables of the environment, which are the host's."""
    return [*_values(), *_output(), *_surroundings(), *_served()]


@hookimpl
def rtfs_capability_sets() -> list[CapabilitySetEntry]:
    """Offer `ccos.system.get-env`, which reads the environment that the host was given."""
    summary = "Reads variables of the host's environment."
    return [
        CapabilitySetEntry(
            name="environment",
            summary=summary,
            factory=_Environment,
            ids=(_VARIABLE, *_VARIABLE_ALIASES),
            grant=VariablesGrant,
            aliases=dict.fromkeys(_VARIABLE_ALIASES, _VARIABLE),
        )
    ]


class _Environment:
    """Variables of one host."""

    def __init__(self, settings: CapabilitySetSettings) -> None:
        self._environ = settings.environ

    def entries(self) -> list[CapabilityEntry]:
        """Return the one capability."""
        environ = self._environ

        def handler(request: CapabilityRequest) -> Any:
            from rtfs_capability_standard.surroundings import variable

            return variable(environ, request)

        return [
            CapabilityEntry(
                id=_VARIABLE, summary="A variable of the environment, nil where it is not set.", handler=handler,
                effects=(":environment",), idempotent=True, order_independent=True, grant=VariablesGrant,
                aliases=_VARIABLE_ALIASES,
            )
        ]  # fmt: skip

    def close(self) -> None:
        """Hold nothing."""


_SET: type[CapabilitySet] = _Environment


def _late(module: str, name: str) -> Callable[[CapabilityRequest], Any]:
    """Return a handler that is imported by its first call."""
    found: list[Callable[[CapabilityRequest], Any]] = []

    def handler(request: CapabilityRequest) -> Any:
        if not found:
            found.append(getattr(import_module(f"rtfs_capability_standard.{module}"), name))
        return found[0](request)

    return handler


def _pure(id_: str, summary: str, name: str, *aliases: str, returns: str = ":any") -> CapabilityEntry:
    return CapabilityEntry(
        id=id_, summary=summary, handler=_late("values", name), returns=returns, idempotent=True,
        order_independent=True, deterministic=True, isolable=True, aliases=aliases,
    )  # fmt: skip


def _values() -> list[CapabilityEntry]:
    number = "[:union :int :float]"
    sums = [
        _pure(f"ccos.math.{name}", summary, "calculate", f"math.{name}", returns=number)
        for name, summary in _OPERATIONS
    ]
    return [
        _pure("ccos.echo", "Answers with what it is given, or with its :message.", "echo"),
        *sums,
        _pure("ccos.data.parse-json", "The data of a JSON text; keys are strings.", "parse"),
        _pure("ccos.json.parse", "The data of a JSON text; keys are keywords.", "parse_keyed"),
        _pure("ccos.data.serialize-json", "A value as JSON text.", "serialize",
              "ccos.json.stringify", "ccos.json.serialize", returns=":string"),
        _pure("ccos.concurrent/parallel", "The values of what a vector holds.", "parallel", "ccos.concurrent.parallel",
              returns="[:vector :any]"),
    ]  # fmt: skip


def _output() -> list[CapabilityEntry]:
    def line(name: str, summary: str, effect: str, *aliases: str) -> CapabilityEntry:
        return CapabilityEntry(
            id=f"ccos.io.{name}", summary=summary, handler=_late("output", "print_" if name == "print" else name),
            returns=":nil", effects=(effect,), grant=OutputGrant, aliases=aliases,
            idempotent=True,  # a line that stands there twice after a crash does no harm, a run that cannot go on does
        )  # fmt: skip

    return [
        line("println", "Writes values and ends the line.", ":output", "io.println", "println", "console.println"),
        line("print", "Writes values.", ":output", "io.print"),
        line("log", "Writes one line for whoever runs the program.", ":log", "tool/log", "tool.log", "io.log", "log"),
    ]


def _surroundings() -> list[CapabilityEntry]:
    def told(id_: str, summary: str, name: str, returns: str, effect: str, *more: str) -> CapabilityEntry:
        return CapabilityEntry(
            id=id_, summary=summary, handler=_asked(name), parameters=(), returns=returns,
            effects=(effect,), idempotent=True, order_independent=True, isolable=True, aliases=more,
        )  # fmt: skip

    return [
        told("ccos.system.current-timestamp-ms", "Milliseconds since 1970 (UTC).", "milliseconds", ":int", ":clock",
             "tool/time-ms", "tool.time-ms", "current-time-millis"),
        told("ccos.system.current-time", "Seconds since 1970 (UTC).", "seconds", ":int", ":clock"),
        told("ccos.system.current-timestamp", "The time now, a timestamp in UTC.", "timestamp", ":timestamp", ":clock",
             "current-timestamp", "ccos.time.now"),
        told("ccos.system.generate-uuid", "The text of a random UUID.", "uuid", ":string", ":random",
             "generate-uuid", "ccos.uuid.generate"),
        CapabilityEntry(
            id="ccos.random", summary="A number from 0 to below 1, or an integer between bounds.",
            handler=_asked("random"), returns="[:union :int :float]", effects=(":random",),
            idempotent=True, order_independent=True, isolable=True, names=("random",),
            aliases=("random", "ccos.math.random", "ccos.system.random"),
        ),
        CapabilityEntry(
            id="ccos.system.sleep-ms", summary="Waits for some milliseconds.", handler=_pause,
            returns=":nil", effects=(":clock",), idempotent=True, order_independent=True, isolable=True,
            aliases=("thread/sleep", "ccos.time.sleep"),
        ),
    ]  # fmt: skip


def _asked(name: str) -> Callable[[CapabilityRequest], Any]:
    def handler(request: CapabilityRequest) -> Any:
        from rtfs_capability_standard.surroundings import Surroundings

        return getattr(Surroundings(), name)(request)

    return handler


async def _pause(request: CapabilityRequest) -> None:
    from rtfs_capability_standard.surroundings import Surroundings

    await Surroundings().sleep(request)


def _served() -> list[CapabilityEntry]:
    """Return what the host itself answers."""
    return [
        CapabilityEntry(
            id="ccos.user.ask", summary="Asks a person, in the terminal or by `rtfs runs signal`.", handler=_nobody,
            served="person", returns=":string", effects=(":person",), idempotent=True,
            aliases=("user.ask", "ccos.ask-human", "ccos.agent.ask-human", "ccos.io.read-input"),
        ),
        CapabilityEntry(
            id="ccos.ai.llm-execute", summary="Asks a configured model, in words.", handler=_nobody, served="model",
            returns=":string", effects=(":model",),
            aliases=("llm-execute", "ccos.llm.generate"),
        ),
        CapabilityEntry(
            id="ccos.discovery.discover", summary="Finds capabilities that the program may call, by words.",
            handler=_nobody, served="catalog", returns="[:vector :any]", effects=(), idempotent=True,
            order_independent=True,
            aliases=("ccos.discovery.search", "ccos.marketplace.search", "ccos.marketplace.discover",
                     "discover-capabilities"),
        ),
    ]  # fmt: skip


def _nobody(_request: CapabilityRequest) -> Any:  # the host answers these
    return None
