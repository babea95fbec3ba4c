"""What experience is worth: how soon decisions about a new function are good, with and without a layer of L3."""
