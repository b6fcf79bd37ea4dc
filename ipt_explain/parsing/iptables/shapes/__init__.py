"""Rules at speed: patterns made from what the grammar parsed once."""
