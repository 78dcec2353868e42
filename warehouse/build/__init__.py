"""Building the candidate from what is loaded, without the loads that are set aside."""
