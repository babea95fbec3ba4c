"""`(call :remote-rtfs.execute {...})`: a program sends one step to another RTFS host that the configuration names.

In: a call of the capability. Out: the value that the other host answers, or its error. The host serves it itself: the
request goes the way of every request to a provider, past guards, labels, budgets, rates and breakers. A program chooses
among configured hosts; an address of its own is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.capability import CapabilityEntry, CapabilityRequest
from rtfs_framework.api.errors import RemoteFailed
from rtfs_framework.api.provider import InferenceRequest, Message
from rtfs_framework.api.remote import Bounds, Travel, Travelling
from rtfs_framework.api.targets import RemoteModel
from rtfs_framework.lang.errors import LanguageError, ProgramError
from rtfs_framework.lang.jsontext import JsonError
from rtfs_framework.lang.maps import Map, Set
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.signature import FunctionSignature
from rtfs_framework.lang.types.jsonable import to_json
from rtfs_framework.lang.types.names import no_names
from rtfs_framework.lang.values import Keyword, Symbol
from rtfs_framework.lang.vectors import GrownVector, List
from rtfs_framework.orchestrator.boundary.answers import Answer, Reply, Throw, Waiting
from rtfs_framework.orchestrator.boundary.purity import is_plain
from rtfs_framework.orchestrator.config.security import REMOTE_EXECUTE, Reach, SecurityLevel
from rtfs_framework.orchestrator.deciding.security import Refusal
from rtfs_framework.orchestrator.deciding.security import violation as security_violation
from rtfs_framework.orchestrator.performing.offers import offers_of
from rtfs_framework.orchestrator.performing.preconditions import check_time
from rtfs_framework.orchestrator.performing.reply import to_value
from rtfs_framework.orchestrator.performing.slicing import NoSliceError, slice_of
from rtfs_framework.orchestrator.performing.travel import bounds_of, target_at
from rtfs_framework.orchestrator.recording.attempts import Spent
from rtfs_framework.orchestrator.recording.journal.fault import JournalError

if TYPE_CHECKING:
    from rtfs_framework.api.provider import InferenceReply
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.deciding.security import SecurityAuthorizer
    from rtfs_framework.orchestrator.performing.models import Models
    from rtfs_framework.orchestrator.performing.offers import Offers
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
    from rtfs_framework.orchestrator.recording.journal.writer import Journal
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

_USAGE = f'(call :{REMOTE_EXECUTE} {{:plan-step (plan-step :function data) :target "host"}})'
_STEP, _ARGS, _TARGET, _ENDPOINT = Keyword("plan-step"), Keyword("args"), Keyword("target"), Keyword("endpoint")
_CONTEXT = Keyword("security-context")
_KNOWN = (_STEP, _TARGET, _ENDPOINT, _CONTEXT)
_ROWS = (tuple, List, GrownVector, Set)
_SUFFIX = "/execute"
"""With what published examples end an address."""


@attrs.frozen(slots=True, eq=False, kw_only=True)
class RemoteSteps:
    """Sends steps to other hosts."""

    pool: ProviderPool
    models: Models
    security: SecurityAuthorizer
    bounds: Bounds

    def answer(self, opened: OpenCall) -> Answer | Waiting:
        """Send one step, and write the call down."""
        try:
            instance, travel = self._read(opened)
        except ProgramError as error:
            return self._throw(opened, error)
        return Waiting(lambda: self._asked(opened, instance, travel))

    def _throw(self, opened: OpenCall, error: ProgramError) -> Throw:
        opened.close(self.models.sender.clock.monotonic(), error=error)
        return Throw(error)

    async def _asked(self, opened: OpenCall, instance: ProviderInstance, travel: Travel) -> Answer:
        opened.spent = Spent()
        name = travel.program.name
        request = InferenceRequest(
            function=FunctionSignature(name),
            args=travel.args,
            messages=(Message("user", f"{name} {write(travel.args)}"),),
            timeout=self.models.left(opened, instance.spec.timeout, opened.started),
            travel=travel,
        )
        try:
            check_time(instance, request.timeout)
            reply = await self.models.sender.send(opened, instance, request)
            value = _value(reply, instance)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - a plugin's failure never takes the host down
            return self._throw(opened, self._failed(error, instance))
        opened.record.model, opened.record.remote = reply.model, reply.remote
        opened.close(self.models.sender.clock.monotonic(), value, answered=True)
        return Reply(value)

    def _failed(self, error: Exception, instance: ProviderInstance) -> ProgramError:
        """Return what the program sees: the error of a program there as it was, data included."""
        thrown = self.models.failed(error, instance).error
        if isinstance(error, RemoteFailed) and error.data is not None:
            return ProgramError(thrown.kind, thrown.message, error.data)
        return thrown

    def _read(self, opened: OpenCall) -> tuple[ProviderInstance, Travel]:
        given = opened.call.args[0] if len(opened.call.args) == 1 else None
        if not isinstance(given, Map):
            raise _wrong(f"what is to run is said by one map: {_USAGE}")
        unknown = [key for key in given if key not in _KNOWN]
        if unknown:
            raise _wrong(f"{write(unknown[0])} is no key of a request; it has :plan-step, :target, :endpoint, "
                         ":security-context")  # fmt: skip
        instance = self._instance(given)
        why = self.security.validate_execution_context(instance.target)
        if why is not None:
            refusal = Refusal(why, "ask whoever runs this host")
            raise security_violation("call", REMOTE_EXECUTE, self.security.rules.level, refusal)
        program, args = _program(given.get(_STEP), opened)
        bounds = _narrowed(self.bounds, given.get(_CONTEXT))
        return instance, Travel(program=program, args=args, bounds=bounds)

    def _instance(self, given: Map) -> ProviderInstance:
        """Return the configured host that a request names."""
        named, address = given.get(_TARGET), given.get(_ENDPOINT)
        hosts = {
            target.id: each
            for target, each in self.pool.instances.items()
            if each.entry.travels and isinstance(target, RemoteModel)
        }
        shown = ", ".join(sorted(hosts))
        if named is None and address is None:
            if len(hosts) == 1:
                return next(iter(hosts.values()))
            raise _wrong(f"name one of the configured hosts as :target: {shown}")
        found = None
        if named is not None:
            name = named.name if isinstance(named, Keyword | Symbol) else named
            found = hosts.get(name) or hosts.get(str(name).removeprefix("remote-")) if isinstance(name, str) else None
            if found is None:
                raise _wrong(f"{write(named)} is none of the configured hosts: {shown}")
        if address is not None:
            there = _at(self.pool, address)
            if there is None:
                raise _wrong(f"{write(address)} is the address of no configured host, and no other is ever asked; "
                             f"configured: {shown}")  # fmt: skip
            if found is not None and there is not found:
                raise _wrong(":target and :endpoint name two hosts")
            found = there
        assert found is not None  # noqa: S101 - one of them was named
        return found


def _at(pool: ProviderPool, address: Any) -> ProviderInstance | None:
    if not isinstance(address, str):
        return None
    target = target_at(pool, address) or target_at(pool, address.rstrip("/").removesuffix(_SUFFIX))
    return None if target is None else pool.get(target)


def _program(step: Any, opened: OpenCall) -> tuple[Travelling, tuple[Any, ...]]:
    """Return the program that stands for a step, and its arguments."""
    if isinstance(step, str):
        return Travelling(name="step", source=step, entry=""), ()
    name, args = (step.get(_STEP), step.get(_ARGS, ())) if isinstance(step, Map) else (None, ())
    if not isinstance(name, Keyword) or not isinstance(args, tuple | List | GrownVector):
        raise _wrong(f"a step is made by (plan-step :function data), or is the text of a program: {_USAGE}")
    given = tuple(args)
    if not is_plain(given):
        raise _wrong("the data of a step holds a function or an error, which cannot travel")
    source = opened.scope.program
    if source is None:
        raise _wrong("the program's text is not known here")
    try:
        text = slice_of(source, name.name)
    except (NoSliceError, LanguageError) as error:
        raise _wrong(f"the step {write(name)} cannot travel: {error}") from None
    return Travelling(name=name.name, source=text, entry=name.name), given


def _narrowed(bounds: Bounds, context: Any) -> Bounds:
    """Return the rules that go along: those of this host, and what a program gives up besides."""
    if context is None:
        return bounds
    if not isinstance(context, Map):
        raise _wrong(":security-context is a map")
    found: dict[str, Any] = {}
    for key, value in context.items():
        name = key.name if isinstance(key, Keyword) else key
        if name not in _RULES:
            raise _wrong(f"{write(key)} is no rule of a :security-context; it has {', '.join(map(_shown, _RULES))}")
        found[_RULES[name]] = value
    made = bounds
    for name, value in found.items():
        made = _with(made, name, value)
    return made


_RULES: Mapping[str, str] = {
    "level": "level", "security-level": "level", "reach": "reach", "grant": "grant", "allowed-capabilities": "grant",
    "deny": "deny", "agent": "agent", "environment": "environment", "constraints": "constraints",
}  # fmt: skip
_LEVELS = [each.value for each in SecurityLevel]
_REACHES = [each.value for each in Reach]


def _with(bounds: Bounds, name: str, value: Any) -> Bounds:
    if name in ("level", "reach"):
        order = _LEVELS if name == "level" else _REACHES
        text = value.name if isinstance(value, Keyword) else value
        if text not in order:
            raise _wrong(f":{name} is one of {', '.join(map(_shown, order))}")
        return attrs.evolve(bounds, **{name: min(text, getattr(bounds, name), key=order.index)})
    if name == "grant":
        wanted = _names(value, name)
        held = bounds.grant
        return attrs.evolve(bounds, grant=wanted if held is None else tuple(_both(held, wanted)))
    if name == "deny":
        return attrs.evolve(bounds, deny=tuple(dict.fromkeys((*bounds.deny, *_names(value, name)))))
    if name == "agent":
        if not isinstance(value, str):
            raise _wrong(":agent is a text")
        return attrs.evolve(bounds, agent=value)
    if not isinstance(value, Map) or not all(isinstance(each, str) for each in value.values()):
        raise _wrong(f":{name} maps names to texts")
    facts = {key.name if isinstance(key, Keyword) else str(key): each for key, each in value.items()}
    all_facts: dict[str, Any] = {name: {**getattr(bounds, name), **facts}}
    return attrs.evolve(bounds, **all_facts)


def _both(held: tuple[str, ...], wanted: tuple[str, ...]) -> list[str]:
    """Return what a program wants of what it holds: no pattern of its own makes it more."""
    from rtfs_framework.api.patterns import compile_patterns

    holds, wants = compile_patterns(held), compile_patterns(wanted)
    found = [each for each in wanted if holds(each) is not None] + [each for each in held if wants(each) is not None]
    return list(dict.fromkeys(found))


def _names(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, _ROWS):
        raise _wrong(f":{name} is a vector of names")
    found = tuple(each.name if isinstance(each, Keyword) else each for each in value)
    if not all(isinstance(each, str) for each in found):
        raise _wrong(f":{name} is a vector of names")
    return found


def _value(reply: InferenceReply, instance: ProviderInstance) -> Any:
    """Return the answer as the other host wrote it, unless a guard of this one has changed it."""
    said = reply.remote
    plain = reply.data if reply.structured else reply.text
    if said is not None:
        try:
            if to_json(said.value) == plain:
                return said.value
        except JsonError:
            pass
    return to_value(reply, FunctionSignature(REMOTE_EXECUTE), no_names, f"'{instance.spec.id}'")


def travelling(
    models: Models, config: Config, pool: ProviderPool, security: SecurityAuthorizer, journal: Journal | None
) -> tuple[Models, RemoteSteps, Offers | None]:
    """Return what asks models, other hosts among them; what sends those the steps of programs; and what they offer."""
    bounds = bounds_of(config)
    sender = attrs.evolve(models.sender, bounds=bounds)
    made = attrs.evolve(models, sender=sender, target_at=partial(target_at, pool))
    offers = offers_of(config, pool, sender.io, sender.clock, journal)
    return made, RemoteSteps(pool=pool, models=made, security=security, bounds=bounds), offers


def remote_entry() -> CapabilityEntry:
    """Return the capability, for whoever lists what programs may call."""
    return CapabilityEntry(
        id=REMOTE_EXECUTE, summary="Runs a step of a plan on another RTFS host of the configuration.",
        handler=_nobody, effects=("network",), order_independent=True,
    )  # fmt: skip


def _nobody(_request: CapabilityRequest) -> Any:
    raise AssertionError("the host answers this itself")


def _shown(name: str) -> str:
    return f":{name}"


def _wrong(message: str) -> ProgramError:
    return ProgramError("InvalidArgument", f"{REMOTE_EXECUTE}: {message}")
