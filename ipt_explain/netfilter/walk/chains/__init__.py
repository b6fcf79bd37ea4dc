"""A crowd through the chains of one table: rule by rule, visit by visit, with the share of each branch."""
