"""`rtfs mcp`: agents check, run and read about programs by the Model Context Protocol; the official SDK speaks it.

`asked` says what tools take and give, `clients` who asks and under which rules, `working` does it, `approving` puts
calls that wait for a person before the client's user, `server` makes an MCP server of that, `serving` lets it listen.
"""
