"""Mutation test of the test suite: does a test fail when a line of the product is broken?

`python -m tests.mutation` (`make mutants`) runs the suite once with coverage, which notes the tests that run each line.
Then it breaks drawn lines, one at a time, in a copy of the project, and runs the tests that cover them.
"""
