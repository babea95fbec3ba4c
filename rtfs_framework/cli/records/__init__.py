"""Reading records: bytes -> lines -> records, in constant memory, every mistake with its file, line and way out."""
