"""The tables of the file, and the statements that change and read them.

`replies` holds the rows; `totals` how many there are and how many bytes they take, kept by triggers within the same
transactions, so that a bound costs no count. `used` orders rows by last use and `made` by when they were put:
microseconds that only grow, so that those of two processes compare.
"""

from __future__ import annotations

from rtfs_framework.api import SqliteTables

APPLICATION = 0x52544632
"""What marks the file as ours ("RTF2")."""
VERSION = 2

_REPLIES = (
    "create table replies (namespace text not null, digest text not null, value blob not null, stored_at real not null,"
    " expires_at real, life real, info blob not null, used integer not null, uses integer not null,"
    " made integer not null, size integer not null, primary key (namespace, digest))"
)
_COUNTING = "create trigger {} on replies begin update totals set rows = rows + {}, bytes = bytes + {}; end"
MAKING = (
    _REPLIES,
    "create index replies_by_use on replies (used)",
    "create index replies_by_expiry on replies (expires_at) where expires_at is not null",
    "create table totals (rows integer not null, bytes integer not null)",
    "insert into totals values (0, 0)",
    _COUNTING.format("replies_in after insert", 1, "new.size"),
    _COUNTING.format("replies_out after delete", -1, "-old.size"),
    _COUNTING.format("replies_new after update of size", 0, "new.size - old.size"),
)
TABLES = SqliteTables(APPLICATION, VERSION, MAKING)

VERSION_OF_DATA = "pragma data_version"
"""A number that is another one whenever another connection has changed the file since this one asked last."""
GET = "select value, stored_at, expires_at, life, info, uses from replies where namespace = ? and digest = ?"
PUT = (
    "insert into replies values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do update set value = excluded.value,"
    " stored_at = excluded.stored_at, expires_at = excluded.expires_at, life = excluded.life, info = excluded.info,"
    " used = excluded.used, uses = excluded.uses, made = excluded.made, size = excluded.size"
)
LENGTHEN = (
    "update replies set value = ?, expires_at = ? where namespace = ? and digest = ? and stored_at = ?"
    " and expires_at is not null and expires_at < ?"
)
USE = "update replies set used = max(used, ?), uses = uses + ? where namespace = ? and digest = ?"
DROP_STALE = "delete from replies where namespace = ? and digest = ? and expires_at <= ?"
DROP = "delete from replies where namespace = ? and digest = ?"
PURGE = "delete from replies where expires_at <= ?"
TOTALS = "select rows, bytes from totals"
COUNTED = (
    "update totals set rows = (select count(*) from replies), bytes = (select coalesce(sum(size), 0) from replies)"
)
SLOTS = "select namespace, digest from replies order by used desc"
LAST = "select max(coalesce(max(used), 0), coalesce(max(made), 0)) from replies"

VICTIMS = {
    "lru": "select rowid, size from replies where made < ? order by used",
    "lfu": "select rowid, size from replies where made < ? order by uses, used",
    "fifo": "select rowid, size from replies where made < ? order by made",
    "ttl": "select rowid, size from replies where made < ? order by coalesce(expires_at, 9e999), made",
}
"""By policy: rows in the order in which they make room for those that were made at a time or later."""
ALL_ROWS = "select rowid, size from replies where made < ?"
NEVER = (1 << 63) - 1
"""A time at which nothing was made."""
EVICT = "delete from replies where rowid = ?"
