"""How rules other than those of Services differ between two dumps."""
