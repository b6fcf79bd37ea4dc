"""Lines of text for people: layout, colour, and escaping of text from a dump."""
