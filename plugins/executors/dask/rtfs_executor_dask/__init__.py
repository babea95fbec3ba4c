"""The executor `dask`: pieces of work on the workers of a Dask cluster that already runs."""
