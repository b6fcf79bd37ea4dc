"""Many nodes: their digests, and who disagrees about what."""
