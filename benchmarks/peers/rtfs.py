"""RTFS, with its limits off and with the default limits on."""

from __future__ import annotations

from benchmarks.catalog import Program
from benchmarks.peers.contract import Base, Work
from rtfs_framework.kernel.instance import Instance
from rtfs_framework.kernel.limits import Limits
from rtfs_framework.kernel.loader import compile_source
from rtfs_framework.kernel.purehost import PureHost
from rtfs_framework.lang.source import Source


class Rtfs(Base):
    """RTFS through the kernel: what a host that embeds it calls."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self._limits = limits

    def prepare(self, program: Program, size: int) -> Work:
        """Compile the program, run its definitions, make the data."""
        source = Source(f"{program.name}.rtfs", program.text(self.name, "program.rtfs"))
        instance = Instance(compile_source(source, metered=self._limits.metered), limits=self._limits)
        host = PureHost()
        host.finish(instance.start())
        data = host.finish(instance.call("setup", (size,)))
        return lambda: host.finish(instance.call("main", (data,)))
