"""Stand-in for data.police.uk: its index of archives, and the archives, with invented crimes in the published form."""
