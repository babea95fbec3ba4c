"""What runs in the child process, and the protocol that both sides speak.

protocol    frames of JSON on a socket
boot        the child's first lines: import path, bounds, lifeline
bounds      what the process may take, and how it ends with its parent
serve       its loop: load, answer, cancel, ping
prompts     messages → tokens, with the model's template; what a function's calls share
prefixes    which sequence holds whose prefix
choosing    one of several texts, by probability
answering   one job: prompt, prefix, choice or text
"""
