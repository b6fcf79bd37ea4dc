"""What `audit` and `rules` print, a format a module."""
