"""Rules about the chains that set, test and act on marks."""
