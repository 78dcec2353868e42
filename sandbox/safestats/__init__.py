"""SafeStats: it publishes nowhere, so its stand-in writes into the inbox of a home of synthetic data, each file named in a manifest."""
