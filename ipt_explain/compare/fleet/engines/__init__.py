"""Making digests of many nodes in one process, in several, or on a Dask cluster."""
