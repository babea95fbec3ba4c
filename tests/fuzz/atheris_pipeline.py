r"""Coverage-guided fuzzing of the whole pipeline with atheris: text in; a value, an RTFS error or a diagnostic out.

Anything else is a finding: another exception, a hang (libFuzzer's -timeout), memory beyond the limit (-rss_limit_mb).

    python tests/fuzz/atheris_pipeline.py -max_total_time=1800 -timeout=20 -rss_limit_mb=2048 \
        -dict=tests/fuzz/rtfs.dict [CORPUS...]

New interesting inputs are written to the first corpus folder; those worth keeping go to tests/fuzz/corpus, which the
ordinary tests replay.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["rtfs_framework"]):
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.kernel.loader import compile_source
    from rtfs_framework.kernel.purehost import PureHost
    from rtfs_framework.lang.errors import RtfsError
    from rtfs_framework.lang.printer import write
    from rtfs_framework.lang.source import Source

LIMITS = Limits(depth=500, steps=200_000, host_calls=100, step_rounds=100)
MOST_SHOWN = 100_000


def one_input(data: bytes) -> None:
    """Read, compile, run and print one program."""
    text = data.decode("utf-8", "replace")
    try:
        artifact = compile_source(Source("fuzz", text))
        value = PureHost().finish(Instance(artifact, limits=LIMITS).start())
        write(value, MOST_SHOWN)
    except RtfsError:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
