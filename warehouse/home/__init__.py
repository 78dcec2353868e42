"""A home: set up, backed up, restored."""
