"""Facts about a dump that only the catalogue's rules need, one package per subject."""
