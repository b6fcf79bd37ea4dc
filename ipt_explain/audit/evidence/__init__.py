"""What only the rules of the catalogue ask of a dump, a room for each subject."""
