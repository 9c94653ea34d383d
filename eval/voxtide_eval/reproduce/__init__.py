"""Published tables measured again, as far as this machine has the data."""
