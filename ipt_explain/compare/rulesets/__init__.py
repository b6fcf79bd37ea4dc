"""How rules differ between two dumps beside Services."""
