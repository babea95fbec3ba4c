"""The tables: items, the turns of tenants, and how much waits; triggers count, so no statement can forget to.

An item that may not be leased yet is `delayed`, which people see as queued: what may be leased is then found without
walking over what may not.
"""

from __future__ import annotations

from rtfs_framework.api import SqliteTables

_APPLICATION = 0x52544651
"""What marks the file as ours ("RTFQ")."""


TABLES = SqliteTables(
    _APPLICATION,
    2,
    (
        """create table items (
            seq integer primary key autoincrement, id text not null unique, topic text not null, tenant text not null,
            priority integer not null, key text not null, payload blob not null, size integer not null,
            made real not null, due real not null, state text not null, attempt integer not null default 0,
            tries integer not null default 0, generation integer not null default 0, most_tries integer not null,
            worker text not null default '',
            token text not null default '', until real not null default 0, ended real not null default 0,
            reason text not null default '', result blob)""",
        "create unique index items_key on items (topic, tenant, key) where key <> ''",
        "create index items_ready on items (topic, tenant, priority desc, seq) where state = 'queued'",
        "create index items_delayed on items (due) where state = 'delayed'",
        "create index items_leased on items (until) where state = 'leased'",
        "create index items_ended on items (ended) where ended > 0",
        "create index items_counted on items (topic, tenant, state, size)",
        """create table turns (topic text not null, tenant text not null, ready integer not null default 0,
            finish real not null default 0, primary key (topic, tenant)) without rowid""",
        "create table topics (topic text primary key not null, virtual real not null) without rowid",
        "create table totals (one integer primary key check (one = 1), items integer not null, bytes integer not null)",
        "insert into totals values (1, 0, 0)",
        """create trigger items_put after insert on items begin
            insert into turns (topic, tenant, ready) values (new.topic, new.tenant, new.state = 'queued')
                on conflict do update set ready = ready + excluded.ready;
            update totals set items = items + (new.ended = 0), bytes = bytes + (new.ended = 0) * new.size;
        end""",
        """create trigger items_moved after update of state on items when new.state <> old.state begin
            update turns set ready = ready + (new.state = 'queued') - (old.state = 'queued')
                where topic = new.topic and tenant = new.tenant;
            update totals set items = items + (new.ended = 0) - (old.ended = 0),
                bytes = bytes + ((new.ended = 0) - (old.ended = 0)) * new.size;
        end""",
        """create trigger items_gone after delete on items begin
            update turns set ready = ready - (old.state = 'queued') where topic = old.topic and tenant = old.tenant;
            update totals set items = items - (old.ended = 0), bytes = bytes - (old.ended = 0) * old.size;
        end""",
    ),
)

FACTS = (
    "id, topic, tenant, priority, state, key, size, made, due, attempt, tries, most_tries, generation, worker, until, "
    "ended, reason"
)
"""Of an item, all but what is large."""
PUT = (
    "insert into items (id, topic, tenant, priority, key, payload, size, made, due, state, most_tries) "
    "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SAME = (
    "select id from items where id = ? or (topic = ? and tenant = ? and key = ? and key <> '') "
    "order by id = ? desc limit 1"
)
LATE = (
    "select exists (select 1 from items where state = 'delayed' and due <= :now) "
    "or exists (select 1 from items where state = 'leased' and until <= :now)"
)
DUE = "update items set state = 'queued' where state = 'delayed' and due <= ?"
SPENT = (
    "update items set state = 'dead', ended = :now, until = 0, reason = 'its last lease ended' "
    "where state = 'leased' and until <= :now and tries >= most_tries"
)
OVER = (
    "update items set state = 'queued', until = 0, reason = 'its lease ended' where state = 'leased' and until <= :now"
)
# Start-time fair queueing (P. Goyal, H. M. Vin and H. Cheng, SIGCOMM 1996): a turn starts at max(the topic's virtual
# time, the finish of the tenant's last turn), the earliest start goes next, the virtual time is the start of the last
# turn, and a turn lasts 1/weight. Who was away gets no arrears.
NEXT = (
    "select turns.tenant, max(turns.finish, coalesce(topics.virtual, 0)) as start from turns "
    "left join topics on topics.topic = turns.topic where turns.topic = ? and turns.ready > 0{} "
    "order by start, finish, tenant limit 1"
)
_ITEM = "seq, id, topic, tenant, priority, key, payload, due, most_tries, attempt, tries, generation"
FIRST = (
    f"select {_ITEM} from items where topic = ? and tenant = ? and state = 'queued' "  # noqa: S608 - our own words
    "order by priority desc, seq limit 1"
)
ONE = f"select {_ITEM} from items where id = ? and state = 'queued'"  # noqa: S608 - our own words
TAKE = (
    "update items set state = 'leased', attempt = attempt + 1, tries = tries + 1, worker = ?, token = ?, until = ? "
    "where seq = ?"
)
TURN = "update turns set finish = ? where topic = ? and tenant = ?"
NOW = "insert into topics values (?, ?) on conflict do update set virtual = excluded.virtual"
HELD = "select state, token, until, tries, most_tries from items where id = ?"
AGAIN = "update items set state = ?, due = ?, until = 0, tries = ?, reason = ?, ended = ? where id = ?"
ANEW = (
    "update items set state = 'queued', tries = 0, generation = generation + 1, ended = 0, until = 0, due = :now, "
    "result = null "
    "where id = :id and state in ('dead', 'cancelled')"
)
COUNTS = "select topic, tenant, state, count(*), sum(size) from items {} group by topic, tenant, state order by 1, 2, 3"
PURGE = "delete from items where ended > 0 and ended < :before and (:topic is null or topic = :topic)"
TIDY = (
    "delete from turns where not exists "
    "(select 1 from items where items.topic = turns.topic and items.tenant = turns.tenant)"
)
