"""Programs that travel, on both sides: what is published of a text, and the artifact of bytes that came from anywhere.

Out goes the IR of a program, or of one function and what it needs, once it is proved that it asks its host for
nothing. In comes code of this compiler's own making, or a PublishedError: bytes are decoded strictly, verified, checked
and proved again, and nothing is executed meanwhile.
"""

from __future__ import annotations

from rtfs_framework.kernel import effects  # noqa: F401 - enters `call` and its kin into the host's table
from rtfs_framework.kernel.compiling import watched_compilation
from rtfs_framework.kernel.helpers import ASKING
from rtfs_framework.kernel.host_table import HOST
from rtfs_framework.kernel.loader import surroundings
from rtfs_framework.lang import records
from rtfs_framework.lang.analyzer.analyze import Analyzer
from rtfs_framework.lang.analyzer.modules import Modules
from rtfs_framework.lang.annotations import TYPE_CHECKING
from rtfs_framework.lang.check.run import check_program
from rtfs_framework.lang.codegen.unit import Unit
from rtfs_framework.lang.errors import Cancelled, LanguageError, LimitError
from rtfs_framework.lang.expander.macros import MacroTable
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.library import FindModule, no_modules
from rtfs_framework.lang.pipeline import Surroundings, analyze, assemble
from rtfs_framework.lang.published.decode import decode
from rtfs_framework.lang.published.encode import encode
from rtfs_framework.lang.published.rows import MOST_BYTES, PublishedError
from rtfs_framework.lang.published.select import asking, at_home, needed, sets_later
from rtfs_framework.lang.reader.read import read_program
from rtfs_framework.lang.sha import sha256
from rtfs_framework.lang.source import Place, Source
from rtfs_framework.lang.stack import room_for_recursion
from rtfs_framework.stdlib.library import BUILTINS
from rtfs_framework.stdlib.table import families_of

if TYPE_CHECKING:
    from rtfs_framework.kernel.meter import Watch
    from rtfs_framework.lang.codegen.artifact import Artifact
    from rtfs_framework.lang.diagnostics import Diagnostic
    from rtfs_framework.lang.signature import FunctionSignature
    from rtfs_framework.lang.types.model import Type


@records.frozen(eq=False)
class Published:
    """What is published of a program."""

    blob: bytes
    """Its IR; the address is the SHA-256 of it."""
    signature: FunctionSignature | None
    """Of the function; None of a whole program."""
    types: dict[str, Type]
    """What the program's names of types stand for."""


class NotPublishableError(PublishedError):
    """A program that cannot be published: it asks its host for something; says where."""

    def __init__(self, reason: str, place: Place | None = None) -> None:
        super().__init__(reason)
        self._place = place

    @property
    def place(self) -> Place | None:
        """Where it asks."""
        return self._place


@room_for_recursion()
def publish(source: Source, function: str | None, compiler: str, *, find_module: FindModule = no_modules) -> Published:
    """Return what is published of a program: one function of it with all that this needs, or the whole.

    Raises:
        LanguageError: the program is refused, or checks prove that a part of it fails.
        NotPublishableError: it asks its host for something, or the function is not there.
    """
    around = surroundings(find_module=find_module)
    analyzer = _analyzer(source, around)
    program = analyze(analyzer, read_program(source, nesting=around.nesting))
    _refuse_errors(check_program(program, analyzer)[0])
    try:
        made = program if function is None else at_home(needed(program, function), function)
        blob = encode(made, compiler)
    except PublishedError as error:
        raise NotPublishableError(error.reason) from None
    for why, node in asking(made, around.library, ASKING):
        raise NotPublishableError(why, analyzer.place(node.span))
    return Published(blob, None if function is None else _signature(made, function), dict(made.types or {}))


def compile_published(blob: bytes, *, watch: Watch | None = None, most: int = MOST_BYTES) -> Artifact:
    """Return the artifact of a published program, compiled here.

    Raises:
        PublishedError: these bytes are no program, or one that asks its host for something, or that is proved to fail.
        LimitError, Cancelled: what the watch raises.
    """
    try:
        with watched_compilation(watch):
            return _compiled(blob, most)
    except (PublishedError, LimitError, Cancelled):
        raise
    except LanguageError as error:
        raise PublishedError(error.diagnostics[0].message) from None
    except Exception as error:  # noqa: BLE001 - IR that no analyzer would make: whatever a stage says of it, it is refused
        raise PublishedError(f"no compiler made this ({type(error).__name__})") from None


@room_for_recursion()
def _compiled(blob: bytes, most: int) -> Artifact:
    around = surroundings()
    program = decode(blob, around.library, most).program
    for why, _ in asking(program, around.library, ASKING):
        raise PublishedError(why)
    if sets_later(program):
        raise PublishedError("a function that sets a top-level name")
    digest = sha256(blob).hexdigest()
    source = Source(f"published:{digest[:12]}", "")
    analyzer = _analyzer(source, around)
    analyzer.types.update(program.types or {})
    _refuse_errors(check_program(program, analyzer)[0])
    artifact = assemble(analyzer, program, Unit(), source, digest, around)
    names = [*(name for _, name in artifact.builtins), *artifact.globals.values()]
    return records.evolve(artifact, families=families_of(names, {**BUILTINS, **HOST}))


def _analyzer(source: Source, around: Surroundings) -> Analyzer:
    macros, modules = MacroTable(around.compile_macro), Modules(around.find_module, around.nesting)
    return Analyzer(source, around.library, around.delegatable, macros, modules)


def _refuse_errors(found: list[Diagnostic]) -> None:
    errors = [each for each in found if each.severity == "error"]
    if errors:
        raise LanguageError(errors)


def _signature(program: ir.Program, name: str) -> FunctionSignature:
    found = next((each for each in program.signatures if each.name == name), None)
    if found is None:
        raise NotPublishableError(f"{name} is not defined as a function")
    return found
