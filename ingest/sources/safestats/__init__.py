"""Greater London Authority, SafeStats: what is this publisher's own."""
