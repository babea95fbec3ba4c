"""Published programs: whose they are, where they lie, and what of them may run here.

keys      Ed25519 keys in files, the list of those that are trusted, and of those that never are again
pointers  signed records that say which program answers to which interface; nothing of one is read before its
signature has been verified
stores    sending to a store, fetching from it, looking through it, and taking out what nothing points to
shelf     what was fetched to this machine: verified again each time it is used, compiled here, kept sealed
"""
