"""What happened: rows become counts, counts become readings, readings become a decision."""
