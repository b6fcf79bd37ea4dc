"""Rules of one shape, asked about many packets at once."""
