"""The tables `[write]` and `[mcp]` of `delegation.toml`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from rtfs_framework.api.labels import PUBLIC
from rtfs_framework.api.units import Bytes, Seconds, plausible
from rtfs_framework.orchestrator.config.agents import USUAL_MCP, USUAL_WRITE, McpClientSpec, McpSpec, WriteSpec
from rtfs_framework.orchestrator.config.budgets import why_no_tenant
from rtfs_framework.orchestrator.config.security import Reach, SecurityLevel

if TYPE_CHECKING:
    from rtfs_framework.api.targets import ExecTarget
    from rtfs_framework.api.toml_places import KeyPath
    from rtfs_framework.orchestrator.config.budgets import TenantSpec
    from rtfs_framework.orchestrator.config.labels import LabelsSpec

_DAY = 86_400.0
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_REPAIRS = 20
_LEAST, _MOST = 1 << 10, 1 << 30
_SIZE: Any = [validators.ge(Bytes(_LEAST)), validators.le(Bytes(_MOST))]


@attrs.frozen(slots=True, kw_only=True)
class WriteTable:
    """`[write]`."""

    model: str | None = None
    """The model that writes, as targets are written. None: the only one that there is."""
    repairs: int = attrs.field(default=USUAL_WRITE.repairs, validator=[validators.ge(0), validators.le(_MOST_REPAIRS)])
    """How often it is shown what is wrong with its program."""

    def spec(self, target: Callable[[str, KeyPath], ExecTarget]) -> WriteSpec:
        """Return what the table says; a text that names no target is noted."""
        model = None if self.model is None else target(self.model, ("write", "model"))
        return WriteSpec(model=model, repairs=self.repairs)


@attrs.frozen(slots=True, kw_only=True)
class McpClientTable:
    """`[mcp.clients.<name>]`: who it is, and what it may do of what the host may."""

    sha256: str = ""
    """The SHA-256 of its token, in hexadecimal digits, where it comes by HTTP."""
    tenant: str = ""
    """For whom its runs are."""
    level: SecurityLevel | None = None
    """Its security level, if that is less than the host's."""
    reach: Reach | None = None
    """How far its calls may go, if that is less far than the host says."""
    grant: Sequence[str] | None = None
    """Of what the host grants, what it may use. None: all of it."""
    deny: Sequence[str] = ()
    """What is refused to it besides."""
    marks: Sequence[str] = ()
    """Of all data that comes from it."""
    approve: bool = True
    """Whether it may answer questions about calls that wait for a yes."""


@attrs.frozen(slots=True, kw_only=True)
class McpTable:
    """`[mcp]`."""

    seconds: Seconds = attrs.field(
        default=Seconds(USUAL_MCP.seconds),
        validator=[validators.gt(Seconds(0.0)), validators.le(Seconds(_DAY))],
        metadata=plausible(0.1, _DAY),
    )
    """The longest time of one call of a tool."""
    program: Bytes = attrs.field(default=Bytes(USUAL_MCP.program), validator=_SIZE, metadata=plausible(_LEAST))
    """The longest text of a program."""
    answer: Bytes = attrs.field(default=Bytes(USUAL_MCP.answer), validator=_SIZE, metadata=plausible(_LEAST))
    """The longest answer."""
    clients: Mapping[str, McpClientTable] = attrs.field(factory=dict)
    """Those that are known, by the name that they say of themselves."""


USUAL_WRITE_TABLE = WriteTable()
USUAL_MCP_TABLE = McpTable()


def read_mcp(
    mistake: Callable[..., None], table: McpTable, tenants: Mapping[str, TenantSpec], labels: LabelsSpec | None
) -> McpSpec:
    """Return what the table says; mistakes are noted: (code, message, path, way out)."""
    known = PUBLIC if labels is None else labels.marks
    clients, seen = [], dict[str, str]()
    for name, each in table.clients.items():
        path: KeyPath = ("mcp", "clients", name)
        if each.sha256 and _DIGEST.fullmatch(each.sha256) is None:
            way_out = "write the SHA-256 of the token, 64 hexadecimal digits; `rtfs serve token` makes both"
            mistake("E0705", "this is no digest of a token", (*path, "sha256"), way_out)
        elif each.sha256 in seen:
            wrong = f"this is the digest of the token of '{seen[each.sha256]}', too"
            mistake("E0705", wrong, (*path, "sha256"), "make another token: rtfs serve token")
        if each.sha256:
            seen[each.sha256] = name
        for place, mark in enumerate(each.marks):
            if mark not in known:
                way_out = f"known: {', '.join(sorted(known)) or 'none'}; or add it to marks under [labels]"
                mistake("E0706", f"no mark is called '{mark}'", (*path, "marks", place), way_out)
        wrong_tenant = None if not each.tenant else why_no_tenant(each.tenant)
        if wrong_tenant is None and each.tenant and tenants and each.tenant not in tenants:
            wrong_tenant = f"no tenant is called '{each.tenant}'"
        if wrong_tenant is not None:
            mistake("E0706", wrong_tenant, (*path, "tenant"), f"add a table [tenants.{each.tenant}], or name another")
        clients.append(_client(name, each))
    return McpSpec(seconds=table.seconds, program=table.program, answer=table.answer, clients=tuple(clients))


def _client(name: str, table: McpClientTable) -> McpClientSpec:
    said = attrs.asdict(table, recurse=False)
    said |= {"marks": frozenset(table.marks), "deny": tuple(table.deny)}
    said["grant"] = None if table.grant is None else tuple(table.grant)
    return McpClientSpec(name=name, **said)
