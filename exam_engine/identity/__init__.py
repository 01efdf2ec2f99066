"""People, organisation units, roles, sign-in."""
