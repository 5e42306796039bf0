"""How alike the errors of models are: correlation by task, effective number, ambiguity, clusters, near copies, and who helps a blend."""

from kagglekit.diversity.ambiguity import log_ambiguity, mean_disagreement, squared_ambiguity
from kagglekit.diversity.clusters import linked_clusters, ordered, several_clusters, wide_clusters
from kagglekit.diversity.helps import Helps, helps, second_weight
from kagglekit.diversity.labels import PairOfLabels, pair_labels
from kagglekit.diversity.report import COPY, ErrorCorrelation, error_correlation
from kagglekit.diversity.sums import Products, correlation

__all__ = [
    "COPY", "ErrorCorrelation", "Helps", "PairOfLabels", "Products", "correlation", "error_correlation", "helps", "linked_clusters",
    "log_ambiguity", "mean_disagreement", "ordered", "pair_labels", "second_weight", "several_clusters", "squared_ambiguity", "wide_clusters",
]
