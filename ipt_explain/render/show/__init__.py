"""Output of `show`: rules, chains and tables in plain English."""
