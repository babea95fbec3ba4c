"""Programs and their runs: linking, the loop between kernel and host, fan-outs, streams, who uses a session."""
