"""How we spell addresses, counts, lists, percents, durations and families: once, for every floor above."""
