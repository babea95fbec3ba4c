"""Write docs/reference/*.md, the editors' grammar and the parser's tables: `python docs/generate.py`.

All plug-ins must be installed: their settings have a page. A test fails when a page is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
if str(ROOT / "docs") not in sys.path:
    sys.path.insert(0, str(ROOT / "docs"))

from making import codes, commands, configuration, language, records  # noqa: E402 - found beside this file

from rtfs_framework.cli.textmate import grammar  # noqa: E402
from rtfs_framework.lang.reader import tables  # noqa: E402


def pages(*, plugins: bool = True) -> dict[str, str]:
    """Return the generated files by their path in the repository; without plug-ins, those of the core alone."""
    return {
        "rtfs_framework/lang/reader/tables.json": tables.build(),
        "editors/vscode/syntaxes/rtfs.tmLanguage.json": json.dumps(grammar(), indent=2, ensure_ascii=False) + "\n",
        **language.pages(),
        **configuration.pages(),
        **codes.pages(),
        **commands.pages(),
        **records.pages(),
        **(configuration.plugin_pages() if plugins else {}),
    }


def main() -> None:
    """Write every file."""
    for name, text in pages().items():
        (ROOT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
