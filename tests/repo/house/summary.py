"""Add up the JUnit files that the envs left, and print one closing line: `N passed, N failed, N skipped`.

In: the folder of those files. Out: the line, and exit code 1 if a test failed or none was run.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET


def count(folder: Path) -> Counter[str]:
    """Return how many tests passed, failed and were skipped in all envs together."""
    total: Counter[str] = Counter(passed=0, failed=0, skipped=0)
    for report in sorted(folder.glob("*.xml")):
        for suite in ET.parse(report).getroot().iter("testsuite"):
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            total.update(failed=failed, skipped=skipped, passed=int(suite.get("tests", 0)) - failed - skipped)
    return total


if __name__ == "__main__":
    totals = count(Path(sys.argv[1]))
    print(", ".join(f"{number} {word}" for word, number in totals.items()))
    sys.exit(0 if totals["passed"] and not totals["failed"] else 1)
