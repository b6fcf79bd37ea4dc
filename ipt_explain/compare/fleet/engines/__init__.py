"""Who makes the digests of many nodes: one process, several, or a Dask cluster."""
