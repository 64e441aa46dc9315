"""Explanations of whole datasets: what is in them, what is known already, rows and masks, a summary; on Ray, too."""
