"""A structure-aware fuzzer for every command and format."""
