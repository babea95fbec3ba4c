"""The model providers `llm` and `llm-local`: every model that an installed plug-in of simonw/llm offers.

plugin     the entry and the settings
provider   one call: deadline, thread or loop
models     which model, with which key and options (slow to import)
asking     request → prompt and schema
reading    what the model said → reply
failures   what a plug-in of llm raised → rtfs_framework's errors
"""
