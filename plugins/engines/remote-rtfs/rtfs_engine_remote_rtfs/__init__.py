"""The engine `remote-rtfs`: calls go to the RTFS host that offers most for them."""
