"""What every other part stands on: errors, records, configuration. Imports nothing of ours."""
