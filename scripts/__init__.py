"""Who calls it: one command a file."""
