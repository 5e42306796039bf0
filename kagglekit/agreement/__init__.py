"""lbcheck's statistics: do local scores and public scores tell the same story, and how sure is that?

Scores are higher-is-better here: the caller multiplies by the metric's sign. Standard errors are one number (of a gap) or
models x models (paired off the diagonal, single on it).
"""

from kagglekit.agreement.candidates import SplitChoice, SplitFit, choose_split, compare_splits, sign_flip
from kagglekit.agreement.gaps import (
    Pair,
    direction,
    distinct_models,
    is_anchor,
    levels,
    local_models,
    pairs,
    smallest_resolved_gap,
    tied,
)
from kagglekit.agreement.model import GapModel, Offset, Outlier, Slope, gap_model, offset, outliers, slope
from kagglekit.agreement.overfit import Drift, Inflation, drift, inflation
from kagglekit.agreement.shakeup import BoardForecast, board_forecast, p_order
from kagglekit.agreement.sources import TABLE_ROWS, TableNoise, one_fold_se, table_noise
from kagglekit.agreement.verdicts import Needed, Verdict, models_needed, power_to_track, verdict
from kagglekit.choice import Finals, choose_finals, final_picks
from kagglekit.correlation import Correlation, kendall_exact, kendall_interval, pearson, spearman
from kagglekit.noise import (
    CvNoise,
    LbNoise,
    average_correction,
    best_of,
    covariance_of,
    cv_se,
    lb_se,
    lookup_se,
    public_decimals,
    rounding_step,
    solve_public_rows,
)

__all__ = [
    "TABLE_ROWS", "BoardForecast", "Correlation", "CvNoise", "Drift", "Finals", "GapModel", "Inflation", "LbNoise", "Needed", "Offset", "Outlier",
    "Pair", "Slope", "SplitChoice", "SplitFit", "TableNoise", "Verdict", "average_correction", "best_of", "board_forecast", "choose_finals",
    "choose_split", "compare_splits", "covariance_of", "cv_se", "direction", "distinct_models", "drift", "final_picks", "gap_model", "inflation",
    "is_anchor", "kendall_exact", "kendall_interval", "lb_se", "levels", "local_models", "lookup_se", "models_needed", "offset", "one_fold_se",
    "outliers", "p_order", "pairs", "pearson", "power_to_track", "public_decimals", "rounding_step", "sign_flip", "slope",
    "smallest_resolved_gap", "solve_public_rows", "spearman", "table_noise", "tied", "verdict",
]
