"""A host that others reach by HTTP: `rtfs serve`. Needs the extra `serve`; nothing of it is imported otherwise.

Rooms: `listening` (uvicorn, until it is told to end), `admission` (what every request passes), `app` (the addresses),
`auth` (who calls), `wire` (requests as JSON), `values` (RTFS text that travels), `running` (a run for a caller),
`state` (configuration, tokens and a session for each tenant, swapped as a whole), `problems` (errors as answers).
"""
