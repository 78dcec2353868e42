"""Metropolitan Police Service: what is this publisher's own."""
