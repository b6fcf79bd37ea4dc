"""Connections to Services that do not arrive: what loses them, and how to report it."""
