"""What we would ship: data quality, training, validation, the manifest and the registry."""
