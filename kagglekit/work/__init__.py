"""Work: what verbs share."""
