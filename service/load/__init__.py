"""`ep bench load`: a running service under load, seen from outside."""
