"""Nodes on one line: what may stand there, and where a space keeps two tokens apart."""

from __future__ import annotations

from rtfs_framework.lang.format.tokens import LINE, Piece
from rtfs_framework.lang.format.tree import Group, Leaf, Node, Prefixed


def comment_text(piece: Piece) -> str | None:
    """Return a comment that may stand inside a line, or None."""
    return None if piece.kind == LINE or "\n" in piece.text else piece.text


def collides(prefix: str, node: Node | Piece) -> bool:
    """Tell whether a prefix and what follows would read as another token when they touch."""
    text = node.text if isinstance(node, Leaf | Piece) else node.prefix if isinstance(node, Prefixed) else ""
    return (prefix == "~" and text.startswith("@")) or (prefix == "^" and text == ":delegation")


def join(node: Group | Prefixed, words: list[str]) -> str:
    """Return a node on one line from its parts."""
    if isinstance(node, Group):
        text = " ".join(words)
        padded = " " if text.endswith(":") else ""
        opened = " " if node.entries and isinstance(node.entries[0].node, Piece) else ""
        return f"{node.opener}{opened}{text}{padded}{node.closer}"
    glued = node.glued and not collides(node.prefix, node.entries[0].node)
    return f"{node.prefix}{'' if glued else ' '}{' '.join(words)}"
