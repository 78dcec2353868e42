"""The ways data arrives. Each connector lists releases, fetches one, and hands its bytes to landing."""
