"""What `trace` prints."""
