"""What goes along with a request to another RTFS host: a small typed program, the rules, where it came from.

In: an open call, its request, the rules of this host. Out: the request with its `Travel`. A delegated function travels
as its signature alone: name, documentation, types that it names, metadata. Its body stays here, so the other host
either has a target for it by its own policy, or says that it has none (`NO_TARGET`); it never runs what it was not
meant to run. A program that says itself what is to run (`travel` is set already) keeps that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from rtfs_framework.api.endpoints import BadEndpoint, read_endpoint
from rtfs_framework.api.remote import Allowance, AskedBy, Bounds, Travel, Travelling
from rtfs_framework.lang.digest import digest
from rtfs_framework.lang.printer import write
from rtfs_framework.lang.types.model import NamedType, Type
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.orchestrator.config.security import SecurityLevel
from rtfs_framework.orchestrator.performing.accounts import endpoint
from rtfs_framework.orchestrator.performing.idempotency import request_key
from rtfs_framework.orchestrator.recording.purse import Spending

if TYPE_CHECKING:
    from rtfs_framework.api.provider import InferenceRequest
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.lang.signature import FunctionSignature, Parameter
    from rtfs_framework.orchestrator.config.model import Config
    from rtfs_framework.orchestrator.performing.providers import ProviderInstance, ProviderPool
    from rtfs_framework.orchestrator.recording.run_scope import OpenCall

NO_TARGET = "NoTarget"
"""The kind of the error in which a function ends that travelled without its body, where no target took it."""
_ANONYMOUS = "fn"
_ENTRY = "rtfs-entry"


def with_travel(
    request: InferenceRequest, opened: OpenCall, instance: ProviderInstance, bounds: Bounds
) -> InferenceRequest:
    """Return a request with what goes along with it. Its arguments are those of the request: guards have seen it."""
    given = request.travel
    if given is None:
        program = typed_program(request.function, len(request.args), opened.scope.lookup)
    else:
        program = given.program
    journey = opened.scope.journey
    travel = Travel(
        program=program,
        args=request.args,
        labels=opened.labels,
        bounds=bounds if given is None else given.bounds,
        journey=journey,
        allowance=_allowance(opened, request.max_tokens),
        key=request_key(opened, instance, program.source, program.entry, digest(*request.args)),
        asked_by=_asker(opened),
    )
    return attrs.evolve(request, travel=travel)


def typed_program(function: FunctionSignature, count: int, lookup: Lookup) -> Travelling:
    """Return the program that stands for one call of a typed function with so many arguments.

    It holds the types that the function names, its signature, and an entry that calls it: only what a program calls
    goes to a target, what a host calls does not.
    """
    function = function.taking(count) or function
    name = "anonymous" if function.name == _ANONYMOUS else function.name
    types = [each.type for each in function.parameters] + [function.returns]
    named = _named([each for each in types if each is not None], lookup)
    lines = [f"(deftype {each} {show_type(type_)})" for each, type_ in named.items()]
    metadata = f"^{write(function.metadata)} " if len(function.metadata) else ""
    doc = f" {write(function.doc)}" if function.doc else ""
    returns = "" if function.returns is None else f" : {show_type(function.returns)}"
    parameters = " ".join(map(_parameter, function.parameters))
    nobody = f"no target of this host takes {name}"
    body = f"(throw {{:kind :{NO_TARGET} :message {write(nobody)}}})"
    lines.append(f"(defn {metadata}{name}{doc} [{parameters}]{returns}\n  {body})")
    given = " ".join(f"a{place}" for place in range(count))
    lines.append(f"(defn {_ENTRY} [{given}]\n  ({name}{' ' if given else ''}{given}))")
    return Travelling(name=name, source="\n".join(lines) + "\n", entry=_ENTRY)


def _parameter(parameter: Parameter) -> str:
    typed = "" if parameter.type is None else f" : {show_type(parameter.type)}"
    return f"{'& ' if parameter.rest else ''}{parameter.name}{typed}"


def _named(types: list[Type], lookup: Lookup) -> dict[str, Type]:
    """Return the program's own types that these name, directly or by one another."""
    found: dict[str, Type] = {}
    todo = list(types)
    while todo:
        for name in _names(todo.pop()):
            own = name if lookup(name) is not None else name.removesuffix("?")
            type_ = lookup(own)
            if type_ is not None and own not in found:
                found[own] = type_
                todo.append(type_)
    return dict(sorted(found.items()))


def _names(part: Any) -> Iterator[str]:
    """Yield the names in a type."""
    todo = [part]
    while todo:
        item = todo.pop()
        if isinstance(item, NamedType):
            yield item.name
        elif isinstance(item, tuple):
            todo.extend(item)
        else:
            todo.extend(getattr(item, name) for name in getattr(item, "__match_args__", ()))


def _allowance(opened: OpenCall, most_tokens: int | None) -> Allowance | None:
    """Return what a request may use: what is left of what its asker allows, and what is reserved for it there."""
    purse, held = opened.scope.purse, opened.reserved or Spending()
    money, tokens, calls = (None, None, None) if purse is None else purse.left_to(held)
    found = [each for each in (tokens, most_tokens) if each is not None]
    made = Allowance(money=money, tokens=min(found, default=None), calls=calls)
    return None if made == Allowance() else made


def _asker(opened: OpenCall) -> AskedBy:
    scope = opened.scope
    head = "" if scope.chain is None else scope.chain.journal.head
    made = opened.record
    call = ":".join(str(part) for part in (made.entry, made.record, made.path) if part is not None)
    return AskedBy(run=scope.run, head=head, call=call)


def bounds_of(config: Config) -> Bounds:
    """Return the rules of this host as a program takes them along: it may nowhere do more than here."""
    rules, around = config.security, config.surroundings
    return Bounds(
        level=rules.level.value,
        reach=rules.reach.value,
        grant=None if rules.level is SecurityLevel.FULL else rules.grant,  # there they say nothing
        deny=rules.deny,
        agent=around.agent,
        environment=around.environment,
        constraints=around.constraints,
    )


def target_at(pool: ProviderPool, address: str) -> ExecTarget | None:
    """Return the configured target that asks the RTFS host at an address; None for one that nobody has configured."""
    wanted = _written(address)
    for target, instance in pool.instances.items():
        if wanted and instance.entry.travels and _written(endpoint(instance.spec.own) or "") == wanted:
            return target
    return None


def _written(address: str) -> str:
    """Return an address in the one way that it is written, "" for what is none."""
    try:
        origin = read_endpoint(address).origin
    except BadEndpoint:
        return ""
    _, _, path = address.partition("://")[2].partition("/")
    return f"{origin}/{path}".rstrip("/")
