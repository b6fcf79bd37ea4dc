"""A fuzzer that knows the structure of what the program reads, over every command and format."""
