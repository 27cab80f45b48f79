"""A test set of all that releases can say: filled in with seeded values, as each transport hands it on."""
