"""The tools of MCP servers as capabilities: pinned, typed, and granted one by one."""
