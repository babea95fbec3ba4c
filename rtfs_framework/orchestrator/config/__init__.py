"""`delegation.toml`: found (`find`), read and validated (`load`, `resolve`), and what it says as records (`model`)."""
