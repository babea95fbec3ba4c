"""Scopes: what a name means at a place in the program."""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.ir.nodes import FunctionFrame, Var


@records.frozen(eq=False)
class Doubt:
    """A variable that may be unbound: its flag, and the variable that the name meant before, if any."""

    flag: Var
    before: Var | None
    depth: int


@records.frozen(eq=False)
class Made:
    """One definition in a branch."""

    name: str
    var: Var
    flag: Var


@records.define(eq=False)
class Branch:
    """A part that may not run: what it defines, and what the names meant outside."""

    made: list[Made] = records.field(factory=list)
    certain: dict[str, Var] = records.field(factory=dict)
    """Names that are surely defined once it has run, with their first variable."""
    hidden: dict[str, Var | None] = records.field(factory=dict)

    def note(self, made: Made, before: Var | None, *, certain: bool) -> None:
        """Enter a definition; `before` is what the scope held under the name."""
        self.hidden.setdefault(made.name, before)
        self.made.append(made)
        if certain:
            self.certain.setdefault(made.name, made.var)


@records.define(eq=False)
class Scope:
    """One lexical scope. The outermost has no parent."""

    parent: Scope | None
    frame: FunctionFrame
    in_loop: bool = False
    names: dict[str, Var] = records.field(factory=dict)
    inside: str = ""
    """The nearest enclosing named function."""
    is_top: bool = False
    """Whether `def` here makes a top-level name."""
    branch: Branch | None = None
    """The part being analyzed of a form of which not all parts run."""

    def child(self, *, in_loop: bool | None = None) -> Scope:
        """Return a scope inside this one, in the same function."""
        return Scope(self, self.frame, self.in_loop if in_loop is None else in_loop, {}, self.inside)

    def function(self, name: str) -> Scope:
        """Return the scope of a function's parameters and body."""
        return Scope(self, FunctionFrame(self.frame), in_loop=False, names={}, inside=name or self.inside)

    def thunk(self) -> Scope:
        """Return the scope of a part that runs once, as a function: `def` in it means what it means around it."""
        return Scope(self, FunctionFrame(self.frame), False, {}, self.inside, self.is_top)

    def find(self, name: str) -> Var | None:
        """Return the variable that a name means here, or None."""
        scope: Scope | None = self
        while scope is not None:
            var = scope.names.get(name)
            if var is not None:
                return var
            scope = scope.parent
        return None


@records.frozen(eq=False)
class Tail:
    """A tail position: what `recur`, or a call of the function itself, goes back to."""

    frame: FunctionFrame | None
    """The function whose body loops, or None for a `loop` form."""
    count: int
    explicit: bool = True
    """Whether `recur` may be written here."""
    self_var: Var | None = None
    self_global: str | None = None
