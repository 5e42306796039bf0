"""The blenders, one decorated function each, and the nested score of a blend."""

from kagglekit.blenders import averages, selections, stacks, weighted
from kagglekit.blenders.base import REGISTRY, Blender, Fit, blender
from kagglekit.blenders.blending import Blend, blend
from kagglekit.blenders.case import Case, Rows
from kagglekit.blenders.space import combine

__all__ = ["REGISTRY", "Blend", "Blender", "Case", "Fit", "Rows", "averages", "blend", "blender", "combine", "selections", "stacks", "weighted"]
