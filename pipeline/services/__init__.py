"""Single services of the pipeline, by the names of the migration guide."""
