"""What is known of a function without running it: the signature that routes, prompts and explanations look at."""

from __future__ import annotations

from enum import Enum

from rtfs_framework.lang import records
from rtfs_framework.lang.arity import Shape, chosen
from rtfs_framework.lang.maps import EMPTY_MAP, Map
from rtfs_framework.lang.source import Place
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.values import Keyword

MEMO = Keyword("memo")
"""The mark of a function whose values are kept: `(defn ^:memo f ...)`."""


class HintKind(Enum):
    """The author's word on where a function runs (`^:delegation`)."""

    LOCAL = "local"
    LOCAL_MODEL = "local-model"
    REMOTE = "remote"
    TARGET = "target"
    """The map form `{:target "id"}`: the id names a target of the host's configuration."""


@records.frozen()
class DelegationHint:
    """A delegation hint; `id` is "" for LOCAL."""

    kind: HintKind
    id: str = ""


@records.frozen()
class Parameter:
    """A parameter of a delegated function: its name and declared type (None when it has none)."""

    name: str
    type: Type | None = None
    rest: bool = False


@records.frozen()
class FunctionSignature:
    """What is known of a function without running it: all that a prompt or a route may look at."""

    name: str
    """Qualified name; "fn" for an anonymous function."""
    doc: str = ""
    parameters: tuple[Parameter, ...] = ()
    returns: Type | None = None
    hint: DelegationHint | None = None
    metadata: Map = EMPTY_MAP
    body_digest: str = ""
    """SHA-256 of the function's form: two functions of one name are not the same function.

    Empty where all calls stay in the kernel: nobody asks for it.
    """
    arities: tuple[FunctionSignature, ...] = ()
    """Those of a function of several arities; `parameters` are then those of the longest."""

    @property
    def shape(self) -> Shape:
        """The least and the most arguments (None: any number) that the parameters take."""
        fixed = sum(not each.rest for each in self.parameters)
        return fixed, fixed if fixed == len(self.parameters) else None

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The arguments that the function takes, arity by arity."""
        return tuple(each.shape for each in self.arities or (self,))

    def taking(self, count: int) -> FunctionSignature | None:
        """Return what a call with so many arguments means: the arity that takes them, or None."""
        place = chosen(self.shapes, count)
        return None if place is None else (self.arities or (self,))[place]


def described(function: FunctionSignature) -> bool:
    """Tell whether a function of one arity says what it is for, and declares the types of all it takes and gives."""
    if not (function.doc or "").strip() or function.returns is None or function.arities:
        return False
    return all(each.type is not None for each in function.parameters)


def memoised(signature: FunctionSignature) -> bool:
    """Tell whether a function's author has its values kept (`^:memo`): its calls are computed here or remembered."""
    return signature.metadata.get(MEMO) is True


@records.frozen()
class Memo:
    """What the values of a memoised function rest on."""

    digest: str
    """SHA-256 of its definition, of all that it mentions, transitively, and of the program's types."""
    names: tuple[str, ...]
    """The top-level names among them: before all are bound nothing is kept."""


class SiteKind(Enum):
    """How a call can leave the kernel."""

    CAPABILITY = "capability"
    """`(call ...)`; the name is None when it is computed at run time."""
    FUNCTION = "function"
    """A call of a function of the program that carries a hint, or that a route or engine may claim."""
    HOST_NAME = "host-name"
    """A free name: only the host can know it."""
    CONTEXT = "context"
    """A read or write of the host context."""


@records.frozen()
class CallSite:
    """A place in the program where a call can leave the kernel."""

    kind: SiteKind
    name: str | None
    place: Place
    inside: str = ""
    """The enclosing named function, "" at top level."""
    function: FunctionSignature | None = None


class Purity(Enum):
    """What a call of a function can do beside giving a value."""

    PURE = "pure"
    DELEGATABLE = "delegatable"
    """Its own calls, or those of functions it uses, may go to a model; it asks its host for nothing else."""
    EFFECTFUL = "effectful"
    """It may ask its host for a capability, or read, write or tell it something."""


@records.frozen()
class Reason:
    """Why a function is not pure, or what it depends on: in words, and where."""

    text: str
    place: Place


@records.frozen()
class FunctionEffect:
    """The purity of a function, as it can be proved from the program's text."""

    name: str
    purity: Purity
    place: Place
    because: tuple[Reason, ...] = ()
    memoised: bool = False
    """Whether its values are kept (`^:memo`)."""
