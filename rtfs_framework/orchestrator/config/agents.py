"""What `[write]` and `[mcp]` mean: which model writes programs, and what agents that come by MCP may do."""

from __future__ import annotations

import attrs

from rtfs_framework.api.labels import PUBLIC, Label
from rtfs_framework.api.targets import ExecTarget
from rtfs_framework.orchestrator.config.security import Reach, SecurityLevel


@attrs.frozen(slots=True, kw_only=True)
class WriteSpec:
    """How programs are written by a model."""

    model: ExecTarget | None = None
    """Which one; None for the default target, or the only one that is configured."""
    repairs: int = 3
    """How often it is shown what is wrong with its program."""


@attrs.frozen(slots=True, kw_only=True)
class McpClientSpec:
    """A client of MCP: whose rules count, narrowed by its own."""

    name: str
    sha256: str = attrs.field(default="", repr=False)
    """Of its token; "" for one that comes by the standard streams alone."""
    tenant: str = ""
    level: SecurityLevel | None = None
    reach: Reach | None = None
    grant: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    marks: Label = PUBLIC
    """Of all that it sends."""
    approve: bool = True
    """Whether its user may say yes to calls that wait for a person, asked through the client."""


@attrs.frozen(slots=True, kw_only=True)
class McpSpec:
    """The bounds of `rtfs mcp`, and whose clients it knows."""

    seconds: float = 60.0
    """Of one tool call."""
    program: int = 256 << 10
    """Bytes of a program's text."""
    answer: int = 1 << 20
    """Bytes of what one tool call answers."""
    clients: tuple[McpClientSpec, ...] = ()


USUAL_WRITE = WriteSpec()
USUAL_MCP = McpSpec()
