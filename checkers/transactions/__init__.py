"""What all checkers of transactions share: transactions read from a history, and the search for cycles among them."""
