"""Foundation of all other rooms: errors, records, configuration. Imports no other room."""
