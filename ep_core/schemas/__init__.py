"""Documents: specs that can be asked, reports that are answered, and the words for errors in them. Imports no torch."""
