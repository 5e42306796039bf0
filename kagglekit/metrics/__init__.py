"""The metrics: one decorated function each, with direction, needs, Kaggle's names, best constant and influence."""

from kagglekit.metrics.base import REGISTRY, Family, Metric, metric
from kagglekit.metrics.custom import check_metric, direction, takes_tables
from kagglekit.metrics.labels import (
    accuracy,
    balanced_accuracy,
    f1,
    fbeta,
    influence_balanced_accuracy,
    influence_f1,
    influence_fbeta,
    influence_kappa,
    influence_macro_f1,
    influence_mcc,
    influence_qwk,
    kappa,
    macro_f1,
    mcc,
    mce,
    qwk,
)
from kagglekit.metrics.lists import influence_lwlrap, lwlrap, map_at_k, ndcg_at_k, top_k_err
from kagglekit.metrics.means import influence_by_column, influence_of_mean
from kagglekit.metrics.misfit import misfit
from kagglekit.metrics.multilabel import hamming, influence_micro_f1, mean_f1, mean_fbeta, micro_f1
from kagglekit.metrics.order import tied_ranks
from kagglekit.metrics.probabilities import binom_dev, kld, logloss, mclogloss, mlogloss
from kagglekit.metrics.ranks import (
    ap,
    auc,
    influence_ap,
    influence_auc,
    influence_ngini,
    influence_pearson,
    influence_spearman,
    mcauc,
    ngini,
    pearson,
    spearman,
)
from kagglekit.metrics.values import (
    influence_r2,
    influence_rmspe,
    mae,
    mape,
    mcrmse,
    mcrmsle,
    medae,
    mse,
    pinball,
    r2,
    rmse,
    rmsle,
    rmspe,
    smape,
)

__all__ = [
    "REGISTRY", "Family", "Metric", "accuracy", "ap", "auc", "balanced_accuracy", "binom_dev", "check_metric", "direction", "f1", "fbeta", "hamming",
    "influence_ap", "influence_auc", "influence_balanced_accuracy", "influence_by_column", "influence_f1", "influence_fbeta", "influence_kappa",
    "influence_lwlrap", "influence_macro_f1", "influence_mcc", "influence_micro_f1", "influence_ngini", "influence_of_mean", "influence_pearson",
    "influence_qwk", "influence_r2", "influence_rmspe", "influence_spearman", "kappa", "kld", "logloss", "lwlrap", "macro_f1", "mae", "map_at_k",
    "mape", "mcauc", "mcc", "mce", "mclogloss", "mcrmse", "mcrmsle", "mean_f1", "mean_fbeta", "medae", "metric", "micro_f1", "misfit", "mlogloss",
    "mse", "ndcg_at_k", "ngini", "pearson", "pinball", "qwk", "r2", "rmse", "rmsle", "rmspe", "smape", "spearman", "takes_tables", "tied_ranks",
    "top_k_err",
]
