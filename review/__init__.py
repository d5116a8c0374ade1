"""What a person sees and decides: the proposal, the report, and where pull requests live."""
