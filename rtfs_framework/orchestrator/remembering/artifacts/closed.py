"""Which compiled programs are closed: they ask nothing of their host, so that none is needed to run them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from rtfs_framework.lang.codegen.artifact import Artifact


def is_closed(artifact: Artifact) -> bool:
    """Tell whether a program asks for nothing but the library's pure functions."""
    if artifact.sites or artifact.links or artifact.prelude:
        return False
    from rtfs_framework.kernel.helpers import ASKING
    from rtfs_framework.kernel.host_table import HOST

    asking = [name for _, name in artifact.builtins if getattr(HOST.get(name), "effect", None)]
    return not asking and ASKING.isdisjoint((*artifact.helpers, *(name for _, name in artifact.builtins)))


def bare_code(artifact: Artifact) -> CodeType | None:
    """Return the code of a program that names nothing which it does not make; None of another."""
    tables = (artifact.constants, artifact.checked, artifact.builtins, artifact.helpers, artifact.globals)
    return None if any(tables) else artifact.code
