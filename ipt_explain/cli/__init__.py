"""The command line: one module a command. Options are parsed here, the work is done on the floors below."""
