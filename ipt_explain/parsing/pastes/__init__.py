"""What people paste: texts that are cut, thinned, wrapped, joined from several commands' output."""
