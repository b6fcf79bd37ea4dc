"""Pastes: texts that are cut, filtered, wrapped, or joined from the output of several commands."""
