"""What a person is told: status, what no night can tell, what a code means."""
