"""The report of a run: as a message, as one readable page, and as the files of the output folder."""
