"""Japanese free text: finding what points at a person, and putting a typed placeholder in its place."""
