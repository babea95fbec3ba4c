"""The causal chain: an append-only record of every host call, each entry hash-chained to the one before.

`store` writes, `query` reads and verifies, `chain` says what is hashed, `schema` what the tables are, `place` where the
file lies. sqlite3 is imported when a journal is opened, never before.
"""
