"""Rules in plain English, every match and target of the grammar in words of its own."""
