"""The store `sqlite`: blobs and names in two tables of one file."""
