"""The stand-in for Fingertips (OHID)."""
