"""The model provider `openai`: any endpoint that speaks the OpenAI protocol, through the official client.

plugin        the entry
settings      what a table says; checks: what it may say
keys          keys as they may be sent
provider      one call: deadline, and whose turn it is (turns)
route         one endpoint with one key
asking        request → body, in a way that the server takes (ways; abilities remembers what it refused)
exchange      one request and its reply, whole or as a stream (stream)
reading       completion → reply: the JSON in it (extract), without reasoning (thoughts), what it took (usage)
words         what a server says went wrong
failures      what the client raised → rtfs_framework's errors
client        the vendor's client, held to the session's settings (slow to import)
guard         what goes out and comes in: origin, headers, size
surroundings  proxies, certificates and accounts, of the session's environment alone
"""
