"""Each publisher in a folder of its own: what it publishes (`source.yml`), its README, and the code that serves it alone."""
