"""The profile of a competition's tables: what each column holds, how test differs from train, and what a person should know first."""

from kagglekit.tables.profile.drift import Drift, column_drift
from kagglekit.tables.profile.whole import Profile, Question, profile_tables

__all__ = ["Drift", "Profile", "Question", "column_drift", "profile_tables"]
