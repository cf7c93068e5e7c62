"""The targets room: systems under test, what a node runs, how it is ready, its clients, its logs, its options."""
