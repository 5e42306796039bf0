"""Advice: which split the data asks for, with evidence; near duplicates, shift and leaks are measured beside it."""

from kagglekit.advice.derive import derived
from kagglekit.advice.recommend import Recommendation, likeness, recommend

__all__ = ["Recommendation", "derived", "likeness", "recommend"]
