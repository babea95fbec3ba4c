"""The right to make one value, among all nodes: a key at the server that expires, and that only its holder deletes."""

from __future__ import annotations

from secrets import token_hex

import attrs

from rtfs_cache_redis.faults import Away
from rtfs_cache_redis.link import Link


@attrs.frozen(slots=True)
class RedisClaim:
    """A claim that is held; `token` is "" where the server was away and everybody makes for himself."""

    link: Link
    records: str
    slot: str
    token: str

    def release(self) -> None:
        """Give it back; nothing, when its lease was over and another has it, or when the server is away."""
        if self.token:
            try:
                self.link.ask("release", self.records, self.slot, self.token)
            except Away:
                return


def claim(link: Link, records: str, slot: str, lease: float) -> RedisClaim | None:
    """Take the right to make a slot's value for at most `lease` seconds; None while another has it."""
    token = token_hex(16)
    try:
        mine = link.ask("claim", records, slot, token, max(1, int(lease * 1000)))
    except Away:
        return RedisClaim(link, records, slot, "")
    return RedisClaim(link, records, slot, token) if mine else None
