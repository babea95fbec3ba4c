"""Programs that may travel: their IR as canonical data, never code, and back again, believing nothing of it.

    version which format this is
    tables  the kinds of nodes, patterns, types and values, and how each field of theirs stands in the data
    rows    JSON of a bounded size and depth, written in one way only; what is written otherwise is refused
    encode  IR -> bytes
    decode  bytes -> IR; whatever can be found out again is found out again
    select  what of a program one function needs; proof that it asks nothing of a host
    face    what callers see of a program: names, types, documentation, and the digest of these

Bytes in, IR or PublishedError out: nothing is executed here, nothing recurses deeper than `rows.MOST_DEPTH` says, and
work is linear in the bytes.
"""
