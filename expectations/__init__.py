"""Whether a candidate is fit to publish: suites as data, and the gate that runs them."""
