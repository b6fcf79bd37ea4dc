"""Rules in plain English, with words for every match and target of the grammar."""
