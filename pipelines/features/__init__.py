"""Features and marts: one dbt build, and the snapshot that scoring, training and monitoring read."""
