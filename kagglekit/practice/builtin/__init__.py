"""The built-in practice competitions, one file each, generated deterministically in seconds."""
