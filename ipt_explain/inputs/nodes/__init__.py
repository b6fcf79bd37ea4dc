"""Files of many nodes: searching directories, patterns and archives for them, and naming each file's node."""
