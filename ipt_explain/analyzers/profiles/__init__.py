"""What can be told of a table, a chain or a rule by itself: what `show` and `graph` ask."""
