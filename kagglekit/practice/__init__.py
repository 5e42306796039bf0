"""The arena: Kaggle's participant protocol on loopback, with scoring, and the practice competitions."""
