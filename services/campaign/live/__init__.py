"""A campaign from its draft to its end: publishing, pausing, reading, exporting."""
