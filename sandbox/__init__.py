"""Stand-in publishers: a local server that speaks each publisher's contract with synthetic data."""
