"""The run itself: pull, check, train, validate, propose and promote, one stage a file."""
