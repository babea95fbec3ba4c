"""The kernel: runs code objects in greenlets and hands every effect to its host as a value. Pure itself."""
