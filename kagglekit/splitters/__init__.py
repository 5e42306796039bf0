"""The splitters: one decorated function each; a row's fold number, -1 where it is never validated."""

from kagglekit.splitters.base import REGISTRY, Explicit, Splitter, splitter
from kagglekit.splitters.by_column import adversarial, predefined
from kagglekit.splitters.by_group import group, leave_one_group_out, mixed, stratified_group
from kagglekit.splitters.by_row import holdout, multilabel, random, stratified, stratified_regression
from kagglekit.splitters.by_time import purged, time, time_group
from kagglekit.splitters.foreign import check_splitter

__all__ = ["REGISTRY", "Explicit", "Splitter", "adversarial", "check_splitter", "group", "holdout", "leave_one_group_out", "mixed", "multilabel",
           "predefined", "purged", "random", "splitter", "stratified", "stratified_group", "stratified_regression", "time", "time_group"]
