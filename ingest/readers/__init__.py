"""From a landed file to rows of raw. A reader either vouches for every row of a file or says what is wrong with it."""
