"""The model provider `llama`: a GGUF model on this machine, by llama.cpp, in a process of its own.

plugin      the entry and the settings
locate      where the model is: a path, a folder, an installed package
identity    what the fingerprint says of the model's file and of the backend
wording     request → job: messages, what stays the same between calls, choices or grammar
provider    one request: job, queue, deadline; every failure a `ProviderError`
keeper      the thread that keeps the child: queue, restarts, idle unload
process     one child: started, spoken to, ended
scratch     its folder
child       what runs in the child process: protocol, bounds, prompts, kept prefixes, choosing, answering
backends    llama-cpp-python and xllamacpp behind one small contract
grammar     JSON Schema → GBNF
testing     a backend without a model, for tests of all the rest
"""
