"""The command line: one module per command. It parses options; the layers below do the work."""
