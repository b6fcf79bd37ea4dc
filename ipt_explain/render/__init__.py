"""Output for people and programs. Only this layer uses rich, and imports it only for terminals."""
