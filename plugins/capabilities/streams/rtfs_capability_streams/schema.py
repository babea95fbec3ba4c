"""The tables of the file: streams with position and state, queues, their items, and the keys of what was put."""

from __future__ import annotations

from rtfs_framework.api import SqliteTables

TABLES = SqliteTables(
    application=0x52465354,
    version=2,
    statements=(
        """create table streams (
            n integer primary key autoincrement, named integer not null,
            tenant text not null, id text not null, source text not null, type text not null, sink text not null,
            takes text not null, processor text not null, batch integer not null, wait real not null,
            state text not null, position text not null, seq integer not null, status text not null,
            epoch integer not null default 0, given text not null default '[]', key text not null default '',
            marks text not null default '[]', reader text not null default '',
            running integer not null default 0, used integer not null default 0, unique (tenant, id))""",
        "create index streams_used on streams (tenant, named, used)",
        "create table epochs (last integer not null)",
        "insert into epochs values (0)",
        """create table queues (
            tenant text not null, name text not null, capacity integer not null, type text not null,
            closed integer not null default 0, marks text not null, primary key (tenant, name)) without rowid""",
        """create table items (
            n integer primary key autoincrement, tenant text not null, queue text not null, value text not null,
            marks text not null, reader text)""",
        "create index items_of on items (tenant, queue, n)",
        """create table put (
            n integer primary key autoincrement, tenant text not null, queue text not null, key text not null)""",
        """create table pulled (
            n integer primary key autoincrement, tenant text not null, id text not null, key text not null,
            seq integer not null, items text not null, done integer not null, size integer not null)""",
        "create unique index pulled_key on pulled (tenant, id, key)",
        "create index pulled_of on pulled (tenant, id, n, size)",
        "create unique index put_key on put (tenant, queue, key)",
    ),
)
FIELDS = (
    *("named", "tenant", "id", "source", "type", "sink", "takes", "processor", "batch", "wait"),
    *("state", "position", "seq", "status", "epoch", "given", "key", "marks", "reader", "running"),
)
GET = f"select {', '.join(FIELDS)} from streams where tenant = ? and id = ?"  # noqa: S608 - names of columns
ALL = f"select {', '.join(FIELDS)} from streams order by tenant, id"  # noqa: S608 - as above
MAKE = f"insert into streams ({', '.join(FIELDS)}) values ({', '.join('?' * len(FIELDS))})"  # noqa: S608 - as above
SAVE = (
    "update streams set state = ?, position = ?, seq = ?, status = ?, epoch = ?, given = ?, key = ?, marks = ?,"
    " reader = ?, running = ?, used = (select max(used) + 1 from streams as other"
    " where other.tenant = streams.tenant and other.named = streams.named)"
    " where tenant = ? and id = ?"
)
"""Keeps a stream, and notes that it was used after all others of its tenant."""
FREE = "select n, value, marks from items where tenant = ? and queue = ? and reader is null order by n limit ?"
CLAIM = "update items set reader = ? where n = ?"
RELEASE = "update items set reader = null where tenant = ? and queue = ? and reader = ?"
"""Gives back what a reader was given and has not done with."""
TAKEN = "delete from items where n = ? and reader = ?"
LEFT = "select count(*) from items where tenant = ? and queue = ?"
LEAVE = """update streams set reader = '' where reader = ? and source not like '["model"%'"""
"""Says that a process reads its pipes no more; the requests of its streams to models end with it, and stay its own."""
UNPULL = "delete from pulled where tenant = ? and id = ? and key = ?"
UNNAMED_KEPT = 10_000
"""Streams without a name that the file remembers of a tenant: no program but the one that started it can know one."""
OLD = "select tenant, id from streams where tenant = ? and named = 0 order by used desc limit -1 offset ?"
"""Those that were not used for the longest time, beyond so many."""
FORGET = "delete from streams where tenant = ? and id = ?"
FORGET_QUEUE = (
    "delete from items where tenant = ? and queue = ?",
    "delete from queues where tenant = ? and name = ?",
)
LAST_EPOCH = "update epochs set last = max(last, ?)"
"""Keeps the epoch of a stream that goes, so that none of its runs ever moves another of its name."""
QUEUE = "select type, marks from queues where tenant = ? and name = ?"
CLOSE_QUEUE = "update queues set closed = 1 where tenant = ? and name = ?"
KEYS_KEPT = 10_000
"""Keys of what was put that a queue remembers: a call that is made again within so many puts nothing twice."""
PULLS_KEPT = 1_000
"""Replies to pulls that a stream remembers: several branches of a run may pull from one stream when it dies."""
PULLS_SIZE = 1 << 22
"""Characters of these replies; the last is remembered whatever its size."""
PULLED = "select seq, items, done from pulled where tenant = ? and id = ? and key = ?"
PULL = "insert into pulled (tenant, id, key, seq, items, done, size) values (?, ?, ?, ?, ?, ?, ?)"
OVERTAKE = "insert or ignore into pulled (tenant, id, key, seq, items, done, size) values (?, ?, ?, ?, '[]', 0, 0)"
"""Keeps that whoever was given a batch ahead is overtaken."""
FORGET_ENDS = (
    "delete from pulled where n in (select n from pulled where tenant = ? and id = ? order by n desc limit -1 offset ?)"
)
ENDS_KEPT = 10_000
"""Batches of a stream with a name that others ended, of which it remembers where."""
NUMBER = "select n from streams where tenant = ? and id = ?"
"""The number of a stream: no other ever has it."""
PULLS = "select count(*), sum(size) from pulled where tenant = ? and id = ?"
OLDEST_PULL = "select n, size from pulled where tenant = ? and id = ? order by n limit 1"
FORGET_PULL = "delete from pulled where n = ?"
FORGET_PULLS = "delete from pulled where tenant = ? and id = ?"
FORGET_KEYS = (
    "delete from put where tenant = ? and queue = ?"
    " and n <= (select max(n) from put where tenant = ? and queue = ?) - ?"
)
