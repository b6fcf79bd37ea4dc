"""The audit: its catalogue, its findings and what it prints."""
