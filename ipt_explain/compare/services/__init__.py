"""How a Service differs between two dumps."""
