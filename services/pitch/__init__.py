"""The pitch service: an investor deck in which every number is cited or marked as an assumption."""
