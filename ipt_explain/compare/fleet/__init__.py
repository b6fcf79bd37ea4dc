"""Many nodes: their digests, and how nodes differ."""
