"""The pictures that `graph` draws, a format a module."""
