"""Files of many nodes: directories, patterns and archives, what each file is, and which node it belongs to."""
