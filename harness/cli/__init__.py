"""The command line: what the user asks for becomes a plan or a question; what comes out becomes words and an exit code."""
