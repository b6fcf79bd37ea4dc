"""One self-contained document about a node: for a ticket, a mail, an archive."""
