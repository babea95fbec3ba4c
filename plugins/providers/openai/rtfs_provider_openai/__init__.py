"""The model provider `openai`: any endpoint that speaks the OpenAI protocol, through the official client.

plugin        the entry and the settings
keys          keys as they may be sent
provider      one request: key, deadline, client
wire          request → body, completion → reply
words         what a server says went wrong
failures      what the client raised → rtfs_framework's errors
client        the vendor's client, held to the session's settings (slow to import)
guard         what goes out and comes in: origin, headers, size
surroundings  proxies, certificates and accounts, of the session's environment alone
"""
