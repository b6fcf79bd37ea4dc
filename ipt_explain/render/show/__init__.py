"""What `show` prints: rules, chains and tables in plain English."""
