"""Forms of lines and elements: what does not vary, read by the grammar once, and what is built from words that do."""
