"""Hosts that write down all that leaves them, for the programs of this folder."""
