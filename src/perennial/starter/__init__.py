"""What `perennial init` writes into a new project, beside what is rendered; every file here is text, with {{ name }} in it."""
