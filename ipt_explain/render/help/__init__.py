"""Help texts for people: on a terminal and as manual pages."""
