"""Reports of finished jobs, as JSON. Imports no torch."""
