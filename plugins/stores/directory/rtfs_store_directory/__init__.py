"""The store `directory`: blobs and names as files of a folder, each written in one step."""
