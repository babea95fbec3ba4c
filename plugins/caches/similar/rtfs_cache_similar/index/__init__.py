"""Indexes: which kept vectors are nearest to one. One interface, three implementations, and who chooses among them.

`exact` compares with all and is right by construction; `hnsw` (usearch) takes and drops vectors in place; `forest`
(annoy) is read-only segments beside a small exact buffer. `growing` begins exact and goes over to hnsw.
"""
