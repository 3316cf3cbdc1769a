"""A made-up site: its schema, its members and their postings, grown night by night from a seed."""
