"""Networks of Hugging Face's transformers: a task a file."""
