"""Versions: functions are compiled again for arguments of known kinds, without the class tests.

In: a program. Out: which versions each top-level function has, and what is known inside them and of their results. One
version is made for integers, where parameters are operands; its general one tests at its entry and goes there. Others
are made for the kinds that calls pass (`_asked`): floats, vectors. What is assumed of results is a greatest fixpoint
over the whole program: a function that was refuted makes those look again that read its result.
"""

from __future__ import annotations

from collections import deque

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import Collection, Sequence
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.ir.summary import Summary, read, summary
from rtfs_framework.lang.ir.walk import everything
from rtfs_framework.lang.passes import kinds, proofs
from rtfs_framework.lang.passes.kinds import Kind
from rtfs_framework.lang.passes.numbers import Numbers, Version
from rtfs_framework.lang.passes.wants import NUMBER, Wants, wants
from rtfs_framework.lang.types.model import Primitive, Type
from rtfs_framework.lang.types.names import Lookup
from rtfs_framework.lang.types.subtypes import is_same

MOST_NODES = 400
"""Functions larger than this are compiled once."""
_MOST_ASKED = 2
"""Versions of one function for the kinds that calls pass."""
_REPEATING = frozenset({ir.Loop, ir.Each, ir.Letrec, ir.Global})


@records.define(eq=False)
class _Known:
    """A top-level function that the program sets once."""

    fn: ir.Fn
    place: int
    wanted: list[frozenset[Kind]]
    """The kinds that are worth knowing, by parameter; empty when there can be no version."""
    calls: list[ir.Call]
    returns: Kind | None = Kind.NEVER
    gives: Type | None = Primitive.NEVER
    """The type that its result surely fits, whatever it is given."""
    integers: Version | None = None
    versions: list[Version] = records.field(factory=list)
    asked: int = 0


@records.define(eq=False)
class _Body:
    """What is looked at as a whole: a top-level form, or a version of a function."""

    node: ir.Node
    place: int
    calls: Sequence[ir.Call]
    known: _Known | None = None
    special: Version | None = None
    asks: bool = False
    """Whether its calls may ask for versions."""
    vars: dict[ir.Var, Kind] = records.field(factory=dict)
    types: dict[ir.Var, Type] = records.field(factory=dict)
    uses: set[Version] = records.field(factory=set)


class Versions:
    """The versions of a program's top-level functions."""

    def __init__(self, program: ir.Program, once: Collection[str]) -> None:
        self._barriers = _barriers(program.body)
        self._lookup = None if program.types is None else program.types.get
        self._known: dict[str, _Known] = {}
        self._bodies: list[_Body] = []
        self._readers: dict[_Known | Version, dict[_Body, None]] = {}
        """Who read a result, in order: what a program is compiled to must not depend on chance."""
        self._reading: _Body | None = None
        self._queue: deque[_Body] = deque()
        merged = {fn.frame for group in program.groups for fn in group}
        found = [summary(program, node) for node in program.body]
        self._named = read(program)
        """The top-level names that the program itself reads."""
        for place, seen in enumerate(found):
            self._enter(place, seen, once, merged)
        for body in list(self._bodies):
            self._queue.extend((*self._for_integers(body), body))
        while self._queue:
            self._look(self._queue.popleft())
        self._drop_unused()

    def base(self) -> Numbers:
        """Return what is known outside of the versions."""
        made = Numbers(callees=self, lookup=self._lookup)
        for body in self._bodies:
            if body.special is None:
                made.vars.update(body.vars)
                made.types.update(body.types)
        return made

    def of(self, name: str) -> Sequence[Version]:
        """Return the versions of a function, those for more kinds first."""
        known = self._known.get(name)
        return () if known is None else known.versions

    def all(self) -> list[Version]:
        """Return all versions in the order of the program."""
        return [special for known in self._known.values() for special in known.versions]

    def declared(self, name: str) -> Type | None:
        """Return the type that what a function gives surely fits, because it declares one or that was found out."""
        known = self._known.get(name)
        return None if known is None else known.fn.signature.returns or self._read(known).gives

    def find(self, name: str, args: Sequence[ir.Node], numbers: Numbers) -> tuple[Version | None, Kind | None]:
        """Return the version that a call goes to, and what the call surely gives."""
        known = self._known.get(name)
        if known is None or len(args) != len(known.fn.params) or known.fn.rest is not None:
            return None, None
        given = numbers.given(args)
        if Kind.NEVER in given:
            return None, Kind.NEVER
        chosen = self._choose(known, given) if self._exists(known.place, numbers.place) else None
        if chosen is not None and not numbers.all_fit(args, known.fn):
            chosen = None
        return chosen, self._read(chosen or known).returns

    def _read(self, found: _Known | Version) -> _Known | Version:
        """Return what a result is to be read of; who reads it looks again when it is refuted."""
        if self._reading is not None:
            self._readers.setdefault(found, {})[self._reading] = None
        return found

    # -- what there is -------------------------------------------------------------------------------------------

    def _enter(self, place: int, seen: Summary, once: Collection[str], merged: set[ir.FunctionFrame]) -> None:
        node = seen.nodes[0]
        fn = node.value if isinstance(node, ir.SetGlobal) else None
        if not isinstance(node, ir.SetGlobal) or not isinstance(fn, ir.Fn):
            self._bodies.append(_Body(node, place, ()))
            return
        nodes = seen.nodes[2:]  # without the definition and the function itself
        calls = [each for each in seen.by_kind.get(ir.Call, ()) if isinstance(each.function, ir.Global)]
        known = None
        if node.name in once and not (fn.captures or fn.linked or fn.frame in merged):
            wanted = _wanted(fn, wants(nodes)) if len(nodes) <= MOST_NODES and self._often(node.name, fn, seen) else []
            known = self._known[node.name] = _Known(fn, place, wanted, calls)
        self._bodies.append(_Body(fn, place, calls, known))

    def _often(self, name: str, fn: ir.Fn, seen: Summary) -> bool:
        """Tell whether knowing kinds may save time: the program calls it, or its body repeats or calls something.

        What only a host calls costs the host more than all class tests of a body that runs straight through.
        """
        repeats = len(seen.by_kind[ir.Fn]) > 1 or not _REPEATING.isdisjoint(seen.by_kind)
        return name in self._named or fn.frame.loops or repeats

    def _for_integers(self, body: _Body) -> Sequence[_Body]:
        """Return the version of a function for integers; a function without one asks for others itself."""
        known = body.known
        if known is not None and (NUMBER in known.wanted or (known.wanted and is_typed(known.fn))):
            known.integers = Version(known.fn, _first_kinds(known.fn, known.wanted, self._lookup), Kind.NEVER, {})
            return [self._version(known, known.integers)]
        body.asks = isinstance(body.node, ir.Fn)
        return ()

    def _version(self, known: _Known, special: Version) -> _Body:
        special.gives = Primitive.NEVER
        known.versions.append(special)
        made = _Body(known.fn, known.place, known.calls, known, special, asks=True)
        self._bodies.append(made)
        return made

    # -- the fixpoint --------------------------------------------------------------------------------------------

    def _look(self, body: _Body) -> None:
        """Learn what is known in a body; whoever read its result looks again when that is refuted."""
        if body.special is not None and body.special not in body.known.versions:  # type: ignore[union-attr]
            return
        self._reading = body
        numbers = Numbers(callees=self, lookup=self._lookup)
        numbers.place = body.place
        returns = self._learn(body, numbers)
        body.vars, body.types = numbers.vars, numbers.types
        asked = [made for call in body.calls if (made := self._ask(body, call, numbers)) is not None]
        body.uses = {found for call in body.calls if (found := numbers.special(call)) is not None}
        self._reading = None
        if asked:
            self._queue.extendleft((body, *reversed(asked)))
        owner = body.special or body.known
        if owner is not None and isinstance(body.node, ir.Fn):
            self._lower(owner, returns, proofs.type_of(body.node.body, numbers))

    def _learn(self, body: _Body, numbers: Numbers) -> Kind | None:
        """Note the kinds of a body's variables; return what a function gives."""
        node, special = body.node, body.special
        if special is None or not isinstance(node, ir.Fn):
            numbers.learn(node)
            return _returned(node, numbers) if isinstance(node, ir.Fn) else None
        while True:
            numbers.assume(_assumed(special))
            numbers.note_params(node)
            numbers.learn(node.body)
            refuted = numbers.refuted(node.body, _untyped_kinds(special), node.frame)
            if not refuted:
                special.vars, special.types = numbers.vars, numbers.types
                return _returned(node, numbers)
            self._weaken(body, special, refuted)

    def _weaken(self, body: _Body, special: Version, refuted: set[int]) -> None:
        """Give up kinds that the function does not keep when it calls itself."""
        known = body.known
        assert known is not None  # noqa: S101 - versions are of functions
        special.kinds = _without(special.kinds, refuted)
        useless = not any(special.kinds) and not is_typed(special.fn)
        if useless or any(each.kinds == special.kinds for each in known.versions if each is not special):
            known.versions = [each for each in known.versions if each is not special]
            known.integers = None if known.integers is special else known.integers
        self._queue.extend(self._readers.pop(special, ()))

    def _lower(self, owner: _Known | Version, returns: Kind | None, gives: Type | None) -> None:
        """Note a result that may be less than was assumed."""
        kind = returns if owner.returns in (Kind.NEVER, returns) else owner.returns if returns is Kind.NEVER else None
        type_ = proofs.one_type([owner.gives, gives])
        if kind is not owner.returns or not is_same(type_, owner.gives):
            owner.returns, owner.gives = kind, type_
            self._queue.extend(self._readers.pop(owner, ()))

    # -- calls ---------------------------------------------------------------------------------------------------

    def _exists(self, place: int, seen_from: int) -> bool:
        """Tell whether a function is defined whenever code at a place runs: nothing else runs in between."""
        return place <= seen_from or self._barriers[place] == self._barriers[seen_from]

    def _choose(self, known: _Known, given: Sequence[Kind | None]) -> Version | None:
        found = [special for special in known.versions if special.takes(given)]
        return max(found, key=_exactness, default=None)

    def _ask(self, body: _Body, call: ir.Call, numbers: Numbers) -> _Body | None:
        """Make a version for the kinds that a call passes, if there is none and it is worth one."""
        known = self._known.get(call.function.name) if isinstance(call.function, ir.Global) else None
        if known is None or not body.asks or len(call.args) != len(known.wanted) or known.asked >= _MOST_ASKED:
            return None
        if is_typed(known.fn):  # what it declares is what it is made for
            return None
        given = [numbers.kind(arg) for arg in call.args]
        passed = tuple(kind if kind in wanted else None for kind, wanted in zip(given, known.wanted, strict=True))
        if not any(passed) or Kind.NEVER in given or not self._exists(known.place, body.place):
            return None
        numerals = [kind for kind, wanted in zip(passed, known.wanted, strict=True) if wanted is NUMBER]
        if None in numerals or any(special.kinds == passed for special in known.versions):
            return None
        known.asked += 1
        return self._version(known, Version(known.fn, passed, Kind.NEVER, {}))

    def _drop_unused(self) -> None:
        """Keep the versions that calls go to, and one for the entry: that for integers unless one knows more."""
        found = [known.integers for known in self._known.values() if known.integers is not None]
        entries = {special for special in found if any(_untyped_kinds(special))}  # others only check at their entry
        used = self._reached(entries)
        for known in self._known.values():
            better = [each for each in known.versions if each in used and _refines(each, known.integers)]
            if better and known.integers is not None:
                entries.discard(known.integers)
                entries.update(better)
        used = self._reached(entries)
        for known in self._known.values():
            known.versions = sorted((each for each in known.versions if each in used), key=_exactness, reverse=True)

    def _reached(self, entries: set[Version]) -> set[Version]:
        uses = {body.special: body.uses for body in self._bodies if body.special is not None}
        found = set(entries)
        todo = [*entries, *(special for body in self._bodies if body.special is None for special in body.uses)]
        while todo:
            special = todo.pop()
            found.add(special)
            todo.extend(uses[special] - found)
        return found


def specialise(fn: ir.Fn, var: ir.Var, base: Numbers) -> Version | None:
    """Return the version for integers of a local function, or None when they would make no difference."""
    nodes = everything((fn.body,))
    wanted = [] if fn.linked or len(nodes) > MOST_NODES else _wanted(fn, wants(nodes))
    trial = Version(fn, _first_kinds(fn, wanted, base.lookup), Kind.NEVER, {})
    while any(trial.kinds) or (wanted and is_typed(fn)):
        numbers = base.beside(_assumed(trial))
        numbers.enter(var, trial)
        numbers.note_params(fn)
        numbers.learn(fn.body)
        refuted = numbers.refuted(fn.body, _untyped_kinds(trial), fn.frame)
        if refuted:
            trial = Version(fn, _without(trial.kinds, refuted), Kind.NEVER, {})
            continue
        returns = _returned(fn, numbers)
        if returns is trial.returns:
            trial.vars, trial.types = numbers.vars, numbers.types
            return trial
        trial.returns = returns if trial.returns is Kind.NEVER else None
    return None


def _wanted(fn: ir.Fn, found: Wants) -> list[frozenset[Kind]]:
    """Return the kinds worth knowing by parameter; nothing when a parameter is no plain name."""
    if fn.rest is not None or not all(isinstance(p.pattern, ir.PVar) for p in fn.params):
        return []
    variables = [p.pattern.var for p in fn.params if isinstance(p.pattern, ir.PVar)]
    if len(set(variables)) != len(variables):
        return []
    pairs = zip(fn.params, variables, strict=True)
    return [found.get(var, frozenset()) if param.type is None else frozenset() for param, var in pairs]


def is_typed(fn: ir.Fn) -> bool:
    """Tell whether a function declares types of its parameters."""
    return any(param.type is not None for param in fn.params)


def _first_kinds(fn: ir.Fn, wanted: Sequence[frozenset[Kind]], lookup: Lookup | None) -> tuple[Kind | None, ...]:
    """Return the kinds of a first version: those declared, and integers for operands."""
    pairs = zip(fn.params, wanted, strict=False)
    return tuple(kinds.of_type(p.type, lookup) if p.type else Kind.INT if each is NUMBER else None for p, each in pairs)


def _untyped_kinds(special: Version) -> list[Kind | None]:
    """Return the kinds that jumps must keep; what is passed as a parameter of a declared type is checked."""
    pairs = zip(special.fn.params, special.kinds, strict=True)
    return [kind if param.type is None else None for param, kind in pairs]


def _assumed(special: Version) -> dict[ir.Var, Kind]:
    """Return the kinds of a version's parameters."""
    params = zip(special.fn.params, special.kinds, strict=True)
    return {p.pattern.var: kind for p, kind in params if kind is not None and isinstance(p.pattern, ir.PVar)}


def _without(given: Sequence[Kind | None], refuted: set[int]) -> tuple[Kind | None, ...]:
    return tuple(None if i in refuted else kind for i, kind in enumerate(given))


def _returned(fn: ir.Fn, numbers: Numbers) -> Kind | None:
    return kinds.of_type(fn.returns, numbers.lookup) or numbers.kind(fn.body)


def _exactness(special: Version) -> int:
    return sum(kind is not None for kind in special.kinds)


def _refines(special: Version, other: Version | None) -> bool:
    return other is not None and special is not other and other.takes(special.kinds)


def _barriers(nodes: Sequence[ir.Node]) -> list[int]:
    """Return for each top-level form how many before it do more than define: code may run while they do."""
    found, count = [], 0
    for node in nodes:
        found.append(count)
        value = node.value if isinstance(node, ir.SetGlobal) else node
        count += not isinstance(value, ir.Fn | ir.Const)
    return found
