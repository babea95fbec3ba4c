"""The model provider `rules`: answers calls of typed functions from a file of patterns and weights, on this device.

schema      what a rule file may hold, as attrs classes
load        file → schema instance → rules, or every mistake with its place
patterns    words, phrases and expressions → one RE2 set
lexicon     sentiment of a text, by vaderSentiment
classify    rules of kind "classify": text → label
template    rules of kind "template": arguments → one line of text
provider    the request's arguments → the rules' answer
"""
