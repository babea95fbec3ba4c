"""The journal: one log of everything that left the kernel, in the order of time, that proves itself.

Where to look: `schema` (the tables), `rows` (what a row says), `chain` (the keyed hash that proves it), `texts` and
`secrets` (what may be written), `run` (one run's rows), `writer` (queue, transactions, faults), `append` (one
transaction), `file` (opening), `anchor` (the head file), `query` (reading), `verify` and `walk` (proving), `redact`
(removing texts), `migrate` and `old` (journals of versions 1 and 2).
sqlite3 is imported when a journal is opened, never before.
"""
