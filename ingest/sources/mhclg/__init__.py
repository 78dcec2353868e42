"""Ministry of Housing, Communities and Local Government: what is this publisher's own."""
