"""The table `[serve]` of `delegation.toml`: what `rtfs serve` bounds, and whose tokens it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from rtfs_framework.api.endpoints import http_url
from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.units import Bytes, Seconds, plausible
from rtfs_framework.orchestrator.config.budgets import why_no_tenant
from rtfs_framework.orchestrator.config.serve import USUAL_SERVE, ServeSpec, TokenSpec
from rtfs_framework.orchestrator.config.tables.serve_models import ModelTable

if TYPE_CHECKING:
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.budgets import TenantSpec
    from rtfs_framework.orchestrator.config.labels import LabelsSpec

_DAY = 86_400.0
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_MOST_RUNNING = 10_000
_MOST_KEPT = 1_000_000
_LEAST_BODY = 1 << 10
_MOST_BODY = 1 << 30


_TIME: Any = [validators.gt(0.0), validators.le(_DAY)]
_PLAUSIBLE = plausible(0.1, _DAY)


def _count(usual: int, most: int = _MOST_RUNNING) -> Any:
    return attrs.field(default=usual, validator=[validators.ge(1), validators.le(most)])


def _own_count() -> Any:
    return attrs.field(default=None, validator=validators.optional([validators.ge(1), validators.le(_MOST_RUNNING)]))


@attrs.frozen(slots=True, kw_only=True)
class TokenTable:
    """`[serve.tokens.<name>]`: who holds a token, known by its digest alone."""

    sha256: str
    """The SHA-256 of the token, in hexadecimal digits; the token itself is nowhere."""
    tenant: str = ""
    """For whom requests with it are."""
    marks: Sequence[str] = ()
    """Of all data that comes with it."""
    agent: str = ""
    """Who asks: what decisions read as `agent`."""
    concurrency: int | None = _own_count()
    """Its requests under way at once."""


def _addresses(_: Any, field: attrs.Attribute[Any], value: Sequence[str]) -> None:
    for each in value:
        http_url(_, field, each)


@attrs.frozen(slots=True, kw_only=True)
class ServeTable:
    """`[serve]`."""

    id: str = ""
    """What this host is called among others. "": a name that is made once and kept."""
    body: Bytes = attrs.field(
        default=Bytes(USUAL_SERVE.body),
        validator=[validators.ge(Bytes(_LEAST_BODY)), validators.le(Bytes(_MOST_BODY))],
        metadata=plausible(_LEAST_BODY),
    )
    """The largest request."""
    program: Bytes = attrs.field(
        default=Bytes(USUAL_SERVE.program),
        validator=[validators.ge(Bytes(1)), validators.le(Bytes(_MOST_BODY))],
        metadata=plausible(_LEAST_BODY),
    )
    """The longest text of a program."""
    seconds: Seconds = attrs.field(default=Seconds(USUAL_SERVE.seconds), validator=_TIME, metadata=_PLAUSIBLE)
    """The longest time of one request."""
    concurrency: int = _count(USUAL_SERVE.concurrency)
    """Requests under way at once."""
    share: int | None = _own_count()
    """Of these, those of one tenant; more get 429. None: all of them."""
    connections: int | None = attrs.field(
        default=None, validator=validators.optional([validators.ge(1), validators.le(_MOST_KEPT)])
    )
    """Connections at once; the one that is idle longest makes room. None: the files that may be open, less 192."""
    header_timeout: Seconds = attrs.field(
        default=Seconds(USUAL_SERVE.header_timeout), validator=_TIME, metadata=_PLAUSIBLE
    )
    """How long the headers of a request may take to come."""
    body_timeout: Seconds = attrs.field(default=Seconds(USUAL_SERVE.body_timeout), validator=_TIME, metadata=_PLAUSIBLE)
    """How long its body may take."""
    idle_timeout: Seconds = attrs.field(default=Seconds(USUAL_SERVE.idle_timeout), validator=_TIME, metadata=_PLAUSIBLE)
    """How long a connection may wait for its next request."""
    drain: Seconds = attrs.field(default=Seconds(USUAL_SERVE.drain), validator=_TIME, metadata=_PLAUSIBLE)
    """How long what is under way may take once the host is told to end."""
    lame_duck: Seconds = attrs.field(
        default=Seconds(USUAL_SERVE.lame_duck),
        validator=[validators.ge(Seconds(0.0)), validators.le(Seconds(600.0))],
        metadata=plausible(0, 600),
    )
    """How long it serves on after that while it says that it is going."""
    replay_for: Seconds = attrs.field(
        default=Seconds(USUAL_SERVE.replay_for),
        validator=[validators.ge(Seconds(0.0)), validators.le(Seconds(30 * _DAY))],
        metadata=plausible(0, 30 * _DAY),
    )
    """How long answers are kept for requests with an idempotency key; 0 for not at all."""
    programs: int = _count(USUAL_SERVE.programs, _MOST_KEPT)
    """Compiled programs that are kept, per tenant."""
    hops: int = attrs.field(default=USUAL_SERVE.hops, validator=[validators.ge(0), validators.le(64)])
    """Hosts that a request may pass after this one."""
    elsewhere: Sequence[str] = attrs.field(default=(), validator=_addresses)
    """Addresses of hosts that are named to a caller whose request no target here takes."""
    tokens: Mapping[str, TokenTable] = attrs.field(factory=dict)
    """Who may ask, by names of your own. Without one, nobody may."""
    models: Mapping[str, ModelTable] = attrs.field(factory=dict)
    """What clients of the OpenAI API can name as a model."""


USUAL_SERVE_TABLE = ServeTable()


def read_serve(
    mistake: Callable[..., None],
    table: ServeTable,
    tenants: Mapping[str, TenantSpec],
    labels: LabelsSpec | None,
) -> ServeSpec:
    """Return what the table says; mistakes are noted: (code, message, path, way out)."""
    if table.id and _ID.fullmatch(table.id) is None:
        way_out = 'letters, digits, ".", "_", ":" and "-", at most 100'
        mistake("E0705", f"'{table.id}' is no id of a host", ("serve", "id"), way_out)
    said = attrs.asdict(table, recurse=False)
    said["elsewhere"] = tuple(table.elsewhere)
    said["tokens"], said["models"] = _tokens(mistake, table.tokens, tenants, labels), ()
    return ServeSpec(**said)


def _tokens(
    mistake: Callable[..., None],
    tables: Mapping[str, TokenTable],
    tenants: Mapping[str, TenantSpec],
    labels: LabelsSpec | None,
) -> tuple[TokenSpec, ...]:
    made, seen = [], dict[str, str]()
    for name, table in tables.items():
        path: KeyPath = ("serve", "tokens", name)
        if _DIGEST.fullmatch(table.sha256) is None:
            way_out = "write the SHA-256 of the token, 64 hexadecimal digits; `rtfs serve token` makes both"
            mistake("E0705", "this is no digest of a token", (*path, "sha256"), way_out)
        elif table.sha256 in seen:
            wrong = f"this is the digest of the token '{seen[table.sha256]}', too"
            mistake("E0705", wrong, (*path, "sha256"), "make another token: rtfs serve token")
        seen[table.sha256] = name
        wrong_tenant = _why_no_tenant(table.tenant, tenants)
        if wrong_tenant is not None:
            mistake("E0706", wrong_tenant, (*path, "tenant"), f"add a table [tenants.{table.tenant}], or name another")
        known = PUBLIC if labels is None else labels.marks
        for place, mark in enumerate(table.marks):
            if mark not in known:
                way_out = f"known: {', '.join(sorted(known)) or 'none'}; or add it to marks under [labels]"
                mistake("E0706", f"no mark is called '{mark}'", (*path, "marks", place), way_out)
        said = attrs.asdict(table, recurse=False) | {"marks": frozenset(table.marks)}
        made.append(TokenSpec(name=name, **said))
    return tuple(made)


def _why_no_tenant(tenant: str, tenants: Mapping[str, TenantSpec]) -> str | None:
    if not tenant:
        return None
    wrong = why_no_tenant(tenant)
    if wrong is None and tenants and tenant not in tenants:
        return f"no tenant is called '{tenant}'"
    return wrong
