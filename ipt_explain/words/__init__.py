"""The spelling of addresses, counts, lists, percents, durations and families, for every layer above."""
