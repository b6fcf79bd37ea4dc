"""What a person or a program reads. Rich is used on this floor alone, and imported only where a terminal shows it."""
