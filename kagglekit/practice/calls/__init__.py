"""The calls of Kaggle's participant protocol, one file a subject; importing it registers them all."""

from kagglekit.practice.calls import competitions, forum, leaderboard, login, submissions

__all__ = ["competitions", "forum", "leaderboard", "login", "submissions"]
