"""What is known of the capabilities that a program calls: how many arguments they take, of which types, what they give.

A call is judged where its capability is written down: `(call :fs.read "a.txt")`, or a name that the host gives. What a
program computes is judged when it is called, by the same types.
"""

from __future__ import annotations

from rtfs_framework.lang import records
from rtfs_framework.lang.annotations import TYPE_CHECKING, Mapping
from rtfs_framework.lang.arity import arity_text
from rtfs_framework.lang.check.kinds import ANY, NEVER, Kinds, of_type
from rtfs_framework.lang.check.misfits import Misfits
from rtfs_framework.lang.ir import nodes as ir
from rtfs_framework.lang.types.model import Type
from rtfs_framework.lang.types.names import any_of_name
from rtfs_framework.lang.types.show import show_type
from rtfs_framework.lang.values import Keyword

if TYPE_CHECKING:
    from rtfs_framework.lang.check.facts import Facts
    from rtfs_framework.lang.check.inference import Inference


@records.frozen()
class Contract:
    """What a capability takes and gives; None for what nobody says."""

    id: str
    parameters: tuple[Type, ...] | None = None
    returns: Type | None = None

    def __str__(self) -> str:
        """Return how it is called, and what it gives."""
        takes = "..." if self.parameters is None else " ".join(map(show_type, self.parameters))
        call = f"(call :{self.id} {takes})".replace(" )", ")")
        return call if self.returns is None else f"{call} -> {show_type(self.returns)}"


Contracts = Mapping[str, Contract]
"""By id, by other ids, and by the names under which programs may call them."""


def contract_of(facts: Facts, node: ir.Call) -> tuple[Contract, tuple[ir.Node, ...]] | None:
    """Return the contract of the capability that a call surely asks for, and the arguments that this gets."""
    match node:
        case ir.Call(function=ir.HostName(name=name), args=args):
            pass
        case ir.Call(function=ir.Builtin(name="call"), args=(ir.Const(value=Keyword(name=name)), *args)):
            pass
        case ir.Call(function=ir.Builtin(name="call"), args=(ir.Const(value=str() as name), *args)):
            pass
        case ir.Call(function=ir.Builtin(name=of_prelude), args=args) if len(asks := _asks(facts, of_prelude)) == 1:
            name = asks[0]
        case _:
            return None
    found = facts.contracts.get(name)
    return None if found is None else (found, tuple(args))


def _asks(facts: Facts, name: str) -> tuple[str, ...]:
    entry = facts.library.get(name)
    return () if entry is None else entry.asks


def of_contract(state: Inference, node: ir.Call, contract: Contract, args: tuple[ir.Node, ...]) -> Kinds:
    """Return what a call of a capability may give; note what is wrong with it. The arguments were looked at."""
    parameters = contract.parameters
    if parameters is not None and len(args) != len(parameters):
        count = len(parameters)
        message = f"Arity mismatch in {contract.id}: expected {arity_text((count, count))}, got {len(args)}"
        state.say(node, "E0204", message, f"it is called as {contract}")
        return NEVER
    misfits = Misfits(any_of_name, state.known)
    for place, (arg, type_) in enumerate(zip(args, parameters or (), strict=False), 1):
        reason = misfits.why(arg, type_)
        if reason is not None:
            message = f"argument {place} of capability '{contract.id}': {reason}"
            state.say(arg, "E0320", message, f"it is called as {contract}")
            return NEVER
    return ANY if contract.returns is None else of_type(contract.returns, any_of_name)
