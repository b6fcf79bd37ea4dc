"""The catalogue: one small module a rule, grouped by family. An ID is never changed and never used again."""
