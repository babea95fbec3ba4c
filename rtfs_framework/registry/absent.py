"""What is not installed and known by name: providers of the published configuration, and capabilities.

A remote RTFS host is written as `endpoint` and `timeout`, nothing else. Without its plug-in it is a target that cannot
be used, and the rest of the file counts: routes go on to the next one, and whoever asks for it is told what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import attrs

from rtfs_framework.api.errors import PluginError
from rtfs_framework.api.patterns import compile_patterns
from rtfs_framework.api.provider import Locality, ModelProvider, ProviderEntry, ProviderSettings
from rtfs_framework.registry.problems import HOST, UNKNOWN, Provenance

REMOTE_HOST = "remote-rtfs"
_STANDARD = """
ccos.echo ccos/echo ccos.user* ccos.math* ccos.io*print* ccos.io*log ccos.io*read-input ccos.system* ccos.json* ccos.ai*
ccos.data*parse-json ccos.data*serialize-json ccos.llm* ccos.discovery* ccos.marketplace* ccos.concurrent* ccos.random
ccos/random ccos.ask-human ccos/ask-human ccos.agent*ask-human ccos.time* ccos.uuid* math.* io.* system.get-env user.ask
tool/log tool.log tool/time-ms tool.time-ms log println console.println random get-env current-timestamp
current-time-millis generate-uuid thread/sleep llm-execute discover-capabilities
"""
_CAPABILITIES: tuple[tuple[str, str], ...] = (
    ("ccos.file.*", "rtfs-capability-files"),
    ("ccos.fs*", "rtfs-capability-files"),
    ("ccos.io*read-file", "rtfs-capability-files"),
    ("ccos.io*write-file", "rtfs-capability-files"),
    ("ccos.io*open-file", "rtfs-capability-files"),
    ("ccos.io*file-exists", "rtfs-capability-files"),
    ("ccos.network*", "rtfs-capability-http"),
    ("ccos.http*", "rtfs-capability-http"),
    ("ccos.state*", "rtfs-capability-kv"),
    ("ccos.stream*", "rtfs-capability-streams"),
    ("ccos.mcp*", "rtfs-capability-mcp"),
    *((pattern, "rtfs-capability-standard") for pattern in _STANDARD.split()),
    ("mcp.stream.*", "rtfs-capability-streams"),
    ("marketplace.stream.*", "rtfs-capability-streams"),
    ("stream.*", "rtfs-capability-streams"),
    ("mcp.*", "rtfs-capability-mcp"),
    ("fs.*", "rtfs-capability-files"),
    ("data.*", "rtfs-capability-files"),
    ("sqlite.*", "rtfs-capability-sqlite"),
    ("http.*", "rtfs-capability-http"),
    ("kv.*", "rtfs-capability-kv"),
    ("remote-rtfs.*", "rtfs-provider-remote-rtfs"),
)
"""Ids of capabilities, to the distribution of this project that offers them; the first that fits counts."""
_MISSING = f"no plug-in for remote RTFS hosts is installed; pip install rtfs-provider-{REMOTE_HOST}"


@attrs.frozen(slots=True, kw_only=True)
class RemoteHost:
    """What the published configuration says of a remote RTFS host, besides its timeout."""

    endpoint: str = attrs.field(validator=attrs.validators.min_len(1))

    def unusable(self, _environ: Mapping[str, str]) -> str:
        """Say what is missing."""
        return _MISSING


@lru_cache(maxsize=1_024)  # programs name a capability often, and each pattern is compiled anew
def distribution_of(capability: str) -> str | None:
    """Return the distribution of this project that offers a capability, None where none does."""
    fits = (who for pattern, who in _CAPABILITIES if compile_patterns((pattern,))(capability) is not None)
    return next(fits, None)


def _make(settings: ProviderSettings) -> ModelProvider:
    raise PluginError(HOST, f"the remote RTFS host '{settings.id}' cannot be asked: {_MISSING}", code=UNKNOWN)


ABSENT: Mapping[str, tuple[ProviderEntry, Provenance]] = MappingProxyType(
    {
        REMOTE_HOST: (
            ProviderEntry(
                name=REMOTE_HOST,
                summary="A remote RTFS host.",
                factory=_make,
                locality=Locality.REMOTE,
                settings=RemoteHost,
            ),
            Provenance(HOST, "", __name__),
        )
    }
)
