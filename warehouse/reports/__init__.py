"""What a person can ask: status, what no night can tell, what a code means."""
