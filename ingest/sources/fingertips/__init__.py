"""Office for Health Improvement and Disparities: what is this publisher's own."""
