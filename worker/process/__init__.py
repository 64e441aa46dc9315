"""Worker process: takes a job, runs the engine, stores the result."""
