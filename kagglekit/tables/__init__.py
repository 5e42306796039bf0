"""Tables: raw files typed, described, and turned into submissions."""
