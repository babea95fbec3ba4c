"""`rtfs lsp`: a language server. Everything but `server` knows nothing of the protocol.

positions  offsets into a text <-> lines and characters as editors count them
tracing    an analyzer that notes what every name means
reading    a text, analyzed: what it defines, what its names mean, what is wrong with it
asking     hover, definitions, completion, symbols: a reading and an offset in, spans and texts out
hosts      the host of a folder, for names and targets that its configuration knows
server     the protocol, on pygls
"""
