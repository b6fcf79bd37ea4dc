"""What a digest holds of a node, record by record."""
