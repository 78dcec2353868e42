"""Office for National Statistics (NOMIS): what is this publisher's own."""
