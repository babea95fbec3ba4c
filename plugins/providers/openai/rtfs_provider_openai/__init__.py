"""The model provider `openai`: any endpoint that speaks the OpenAI protocol, through the official client.

plugin      the entry and the settings
provider    one request: key, deadline, client
wire        request → body, completion → reply
failures    the vendor's exceptions → rtfs_framework's
"""
