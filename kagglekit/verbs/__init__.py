"""Verbs: one public function a command; they return records and never print."""
