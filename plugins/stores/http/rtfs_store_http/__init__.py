"""The store `http`: what a static file server hands out of the folder of another store, read only."""
