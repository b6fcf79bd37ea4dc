"""Lines of text for people: layout, colour, and what makes text from a dump safe."""
