"""Facts about a single table, chain or rule, for `show` and `graph`."""
