r"""Coverage-guided fuzzing of the whole pipeline with atheris: text in; a value, an RTFS error or a diagnostic out.

Anything else is a finding: another exception, a hang (libFuzzer's -timeout), memory beyond the limit (-rss_limit_mb).

    python tests/fuzz/atheris_pipeline.py -max_total_time=1800 -timeout=20 -rss_limit_mb=2048 \
        -dict=tests/fuzz/rtfs.dict [CORPUS...]

The first corpus folder is seeded with the sources of the conformance cases and of tests/fuzz/corpus. New interesting
inputs are written to it too; those worth keeping go to tests/fuzz/corpus, which the ordinary tests replay.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rtfs_framework"]):
    from rtfs_framework.kernel.instance import Instance
    from rtfs_framework.kernel.limits import Limits
    from rtfs_framework.kernel.loader import compile_source
    from rtfs_framework.kernel.purehost import PureHost
    from rtfs_framework.lang.errors import RtfsError
    from rtfs_framework.lang.printer import write
    from rtfs_framework.lang.source import Source

from rtfs_framework.testing.cases.model import read_cases

HERE = Path(__file__).parent
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


def seed(folder: Path) -> None:
    """Write the programs that the tests know into a corpus folder."""
    texts = [case.source for case in read_cases([HERE.parent / "conformance"])]
    texts += [path.read_text("utf-8") for path in (HERE / "corpus").glob("*.rtfs")]
    for text in texts:
        name = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        (folder / name).write_text(text, "utf-8", "replace")


if __name__ == "__main__":
    for folder in [Path(each) for each in sys.argv[1:] if not each.startswith("-")][:1]:
        folder.mkdir(parents=True, exist_ok=True)
        seed(folder)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
