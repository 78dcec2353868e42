"""The stand-in for NOMIS (ONS)."""
