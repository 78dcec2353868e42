"""How fast, against the raw limit and against what people use instead, measured in one run. `make bench`."""
