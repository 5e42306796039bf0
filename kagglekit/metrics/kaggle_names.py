"""Kaggle's names of metrics: which metric each stands for, its direction, what a submission holds, and how pages describe it."""

import functools
import re
from dataclasses import dataclass

from kagglekit.registry import normalise


@dataclass(frozen=True, slots=True)
class KaggleMetric:
    """A metric as Kaggle knows it.

    `greater_is_better` is None where it depends on the competition. `kind` says what a row of a submission holds: label, proba,
    value, rank, list, mask, boxes, text or other; `wants` says it in words. `strings` are Kaggle's names, `phrases` regular
    expressions of how an evaluation page speaks of it. `like` is a metric that puts submissions in the same order.
    """

    name: str
    greater_is_better: bool | None
    kind: str
    wants: str
    strings: tuple[str, ...]
    phrases: str = ""
    like: str = ""


METRICS: dict[str, KaggleMetric] = {}


def _more(name: str, kind: str, wants: str, strings: str, phrases: str = "", like: str = "") -> None:
    METRICS[name] = KaggleMetric(name, True, kind, wants, tuple(strings.split("|")), phrases, like)


def _less(name: str, kind: str, wants: str, strings: str, phrases: str = "", like: str = "") -> None:
    METRICS[name] = KaggleMetric(name, False, kind, wants, tuple(strings.split("|")), phrases, like)


LABEL, NUMBER, SHARE, SHARES, SCORE = "a label", "a number", "a probability", "a probability for each class", "a score whose order counts"
COLUMNS = ", in each of several columns"

_more("accuracy", "label", LABEL,
      "Categorization Accuracy|CategorizationAccuracy|Accuracy Score|Accuracy|Classification Accuracy|Categorical Accuracy",
      r"(?:classification|categori[sz]ation|prediction)? ?accuracy|(?:percentage|share|proportion) of .{0,40}correctly|percent correct")
_less("rmse", "value", NUMBER, "Root Mean Squared Error|RMSE|Root Mean Square Error|RootMeanSquaredError",
      r"root[- ]mean[- ]squared?[- ]error|\brmse\b")
_more("auc", "rank", SCORE,
      "Area Under Receiver Operating Characteristic Curve|AUC|Roc Auc Score|ROC AUC|AreaUnderReceiverOperatingCharacteristicCurve",
      r"area under (?:the )?(?:receiver operating characteristic|roc)|\broc[- ]?auc\b|\bauc[- ]?roc\b|\bauc\b")
_more("mean_f1", "label", "labels, several in a row", "Mean F-Score|MeanFScore|Mean F1-Score|Mean F1|F-Score (Samples)|Samples F1|F1 Samples",
      r"mean f1?-?[- ]?score|mean f1|example[- ]based f")
_less("mae", "value", NUMBER, "Mean Absolute Error|MAE|MeanAbsoluteError", r"mean absolute error|\bmae\b|mean absolute deviation")
_less("mse", "value", NUMBER, "Mean Squared Error|MSE|MeanSquaredError|Mean Square Error", r"mean[- ]squared?[- ]error|\bmse\b", like="rmse")
_less("logloss", "proba", SHARE, "Log Loss|LogLoss|Logarithmic Loss|Binary Log Loss", r"log(?:arithmic)?[- ]?loss|(?:binary )?cross[- ]entropy")
_more("fbeta", "label", LABEL, "FScoreBeta|F_{Beta}|F-Score Beta (Micro)|F-Score Beta|FBeta|F2 Score|F0.5 Score|FScoreBeta (Micro)",
      r"f[_-]?(?:beta|0\.5|2)[- ]?(?:score|measure)?")
_less("rmsle", "value", "a number of at least 0",
      "Root Mean Squared Logarithmic Error|RMSLE|Root Mean Squared Log Error|RootMeanSquaredLogarithmicError",
      r"root[- ]mean[- ]squared?[- ]log(?:arithmic)?[- ]error|\brmsle\b")
_more("map@k", "list", "a list of up to K ids or labels, best first", "MAP@{K}|MAP{K}|Mean Average Precision at K|MAP@k|Mean Average Precision @ K",
      r"mean average precision (?:@|at) ?\d+|map ?@ ?\{?\d+|mean average precision")
_more("macro_f1", "label", LABEL, "Macro F-Score|MacroFScore|F-Score (Macro)|Macro F1|F1 Macro|Macro F1 Score|Macro Averaged F1",
      r"macro(?:[- ]averaged)?[- ]f1?-?[- ]?score|macro[- ]f1|f1[- ]macro|unweighted mean of .{0,30}f1")
_less("levenshtein", "text", "text", "Levenshtein Mean|LevenshteinMean|Levenshtein Distance|Mean Levenshtein Distance",
      r"levenshtein|edit[- ]distance|word error rate|character error rate")
_more("ndcg@k", "list", "a list of up to K ids or labels, best first", "NDCG@{K}|NDCG{K}|NDCG|Normalized Discounted Cumulative Gain",
      r"normali[sz]ed discounted cumulative gain|\bndcg")
_less("mlogloss", "proba", SHARES,
      "Multiclass Loss|MulticlassLoss|Multiclass Loss (Deprecated)|Multi Class Log Loss|Multiclass Log Loss|Multi-class Log Loss",
      r"multi-?[- ]?class (?:version of the )?(?:log(?:arithmic)?[- ]?loss|cross[- ]entropy|loss)")
_less("mape", "value", NUMBER, "MAPE|Mean Absolute Percentage Error|MeanAbsolutePercentageError", r"mean absolute percentage error|\bmape\b")
_more("r2", "value", NUMBER, "R2 Score|R^2 score (coefficient of determination)|R2Score|R-squared|R^2|Coefficient of Determination",
      r"coefficient of determination|\br[- ]?(?:\^2|2|²|squared)\b(?: score)?|\br2[- ]score")
_more("w_accuracy", "label", LABEL,
      "Weighted Categorization Accuracy|WeightedCategorizationAccuracy|Weighted Accuracy",
      r"weighted (?:categori[sz]ation )?accuracy")
_more("dice", "mask", "a run-length encoded mask", "Dice|SIIMDice|DiceFBeta|Dice3DHausdorff|Dice Coefficient|Dice Score|Mean Dice",
      r"(?:mean )?dice(?: similarity)?(?: coefficient| score)?\b")
_more("mcauc", "rank", SCORE + COLUMNS,
      "Mean Columnwise Area Under Receiver Operating Characteristic Curve|MCAUC|Mean Column-wise ROC AUC|Mean Columnwise AUC|"
      "Macro ROC AUC|Column-Mean AUC",
      r"(?:mean )?column[- ]?wise (?:mean )?(?:area under|roc|auc)|(?:average|mean|averaged) .{0,40}(?:auc|area under).{0,60}columns?")
_less("top_k_err", "list", "a list of K labels, best first",
      "MeanBestErrorAtK|Mean Best Error At K|MeanBestErrorAt{K}",
      r"mean best error|top[- ]?\d+ error")
_less("sum_abs", "value", NUMBER, "Absolute Error|AE|AbsoluteError|Sum of Absolute Errors", r"sum of absolute errors?", like="mae")
_more("iou_seg", "mask", "run-length encoded masks of objects", "IntersectionOverUnionObjectSegmentation|IntersectionOverUnionObjectSegmentationBeta"
      "|IntersectionOverUnionObjectSegmentationWithF1|IntersectionOverUnionObjectSegmentationWithClassification",
      r"mean average precision at different (?:iou|intersection over union)"
      r"|average precision .{0,40}intersection over union|intersection over union|\biou\b")
_more("mean_fbeta", "label", "labels, several in a row", "Mean F-Score Beta|MeanFScoreBeta|Mean F2 Score", r"mean f[_-]?(?:beta|2)[- ]?score")
_more("mcc", "label", LABEL,
      "Matthews correlation coefficient|Matthews Correlation|MCC|MatthewsCorrelationCoefficient",
      r"matthews?'?s? correlation|\bmcc\b")
_more("qwk", "label", "a whole-number grade",
      "Quadratic Weighted Kappa|QuadraticWeightedKappa|QWK",
      r"quadratic(?:ally)?[- ]weighted[- ](?:cohen'?s )?kappa|\bqwk\b")
_less("rmspe", "value", NUMBER,
      "Root Mean Square Percentage Error|RMSPE|Root Mean Squared Percentage Error",
      r"root[- ]mean[- ]squared?[- ]percentage[- ]error|\brmspe\b")
_less("smape", "value", NUMBER, "SMAPE|Symmetric Mean Absolute Percentage Error", r"symmetric mean absolute percentage error|\bsmape\b")
_more("ngini", "rank", SCORE,
      "Normalized Gini Index|Gini Index|Normalized Gini Coefficient|NormalizedGini|Gini",
      r"(?:normali[sz]ed )?gini", like="auc")
_less("mcrmse", "value", NUMBER + COLUMNS, "Mean Columnwise Root Mean Squared Error|MCRMSE|MeanColumnwiseRootMeanSquaredError|Mean Column-wise RMSE"
      "|Column-Mean RMSE",
      r"(?:mean )?column[- ]?wise (?:mean )?root[- ]mean[- ]squared?[- ]error|\bmcrmse\b")
_less("mcrmsle", "value", "a number of at least 0" + COLUMNS, "Mean Columnwise Root Mean Squared Logarithmic Error|MCRMSLE|Mean Columnwise RMSLE"
      "|Mean Columnwise Root Mean Squared Log Error|Column-Mean RMSLE",
      r"column[- ]?wise (?:mean )?root[- ]mean[- ]squared?[- ]log(?:arithmic)?[- ]error|\bmcrmsle\b")
_less("wmae", "value", NUMBER, "Weighted Mean Absolute Error|Normalized WMAE|WMAE|WeightedMeanAbsoluteError|Normalized Weighted Mean Absolute Error",
      r"weighted mean absolute error|\bwmae\b")
_more("spearman", "rank", SCORE, "SpearmanR|Mean Columnwise Spearman's r|Spearman's rank correlation|Spearman|Spearman's Rho|MeanColumnwiseSpearmanR",
      r"spearman")
_more("ap", "rank", SCORE,
      "Average Precision|MCAP|Average Precision Score|Area Under Precision Recall Curve|Mean Columnwise Average Precision|PR AUC",
      r"area under (?:the )?precision[- ]recall|average precision score|macro[- ]averaged average precision")
_less("hamming", "label", "labels, several in a row", "HammingLoss|Hamming Loss", r"hamming loss")
_more("mce", "label", LABEL, "Mean Consequential Error|MeanConsequentialError|MCE", r"mean consequential error", like="accuracy")
_more("gap", "list", "a label with a confidence",
      "GoogleGlobalAP|Google Global AP|Global Average Precision|GAP",
      r"global average precision|micro average precision|\bgap\b metric")
_less("wrmse", "value", NUMBER,
      "Weighted Root Mean Squared Error|MWCRMSE|WRMSE|Mean Weighted Columnwise Root Mean Squared Error",
      r"weighted root[- ]mean[- ]squared?[- ]error")
_more("det_ap", "boxes", "boxes with a class and a confidence",
      "OpenImagesObjectDetectionAP|RSNAObjectDetectionAP|LyftObjectDetectionAP|Object Detection AP|OpenImagesObjDetectionAP|"
      "OpenImagesObjDetectionSegmentationAP|Mean Average Precision over IoU",
      r"mean average precision .{0,60}bounding box|object detection .{0,30}average precision")
_less("crps", "other", "a cumulative distribution",
      "Continuous Rank Probability Score|CRPS|Continuous Ranked Probability Score|Continuous Ranked Probability Score Mean",
      r"continuous rank(?:ed)? probability score|\bcrps\b")
_less("mclogloss", "proba", SHARE + COLUMNS,
      "Mean Columnwise Log Loss|Weighted Mean Columnwise Log Loss|Weighted Columnwise Log Loss|MeanColumnwiseLogLoss|"
      "Weighted Multi-label Log Loss|Weighted Multi-Label Logarithmic Loss|Column-Mean Log Loss",
      r"column[- ]?wise (?:mean )?log(?:arithmic)?[- ]?loss|multi-?label log(?:arithmic)?[- ]?loss")
_more("lwlrap", "rank", SCORE + COLUMNS,
      "Weighted Label Ranking Average Precision|LWLRAP|Label-weighted Label-ranking Average Precision",
      r"label[- ]ranking average precision|\blwlrap\b")
_less("binom_dev", "proba", SHARE, "Capped Binomial Deviance|CappedBinomialDeviance|Binomial Deviance", r"binomial deviance")
_more("laplace_ll", "value", "a number and its standard deviation",
      "Laplace Log Likelihood|LaplaceLogLikelihood|Modified Laplace Log Likelihood",
      r"laplace log[- ]likelihood")
_less("pinball", "value", "a number for each quantile",
      "Weighted Pinball Loss|WeightedRowwisePinballLoss|Pinball Loss|Weighted Rowwise Pinball Loss|Quantile Loss",
      r"pinball|quantile loss")
_less("wrmsse", "value", NUMBER + COLUMNS,
      "M5_WRMSSE|WRMSSE|Weighted Root Mean Squared Scaled Error",
      r"weighted root[- ]mean[- ]squared?[- ]scaled[- ]error|\bwrmsse\b")
_less("kld", "proba", SHARES, "Kullback Leibler Divergence|KL Divergence|Kullback-Leibler Divergence|KLD", r"kullback[- –]leibler|kl[- ]divergence")
_more("jaccard", "text", "text or a set", "Jaccard|JaccardFbeta|Jaccard Index|Jaccard Score|Word-level Jaccard Score|JaccardDSTL", r"jaccard")
_more("balanced_accuracy", "label", LABEL,
      "Balanced Accuracy Score|Balanced Accuracy",
      r"balanced accuracy|(?:average|mean) (?:of )?recall .{0,40}class|macro[- ]averaged recall")
_more("w_auc", "rank", SCORE,
      "Weighted Area Under ROC|Jigsaw Bias AUC|Weighted AUC|Weighted Area Under Receiver Operating Characteristic Curve",
      r"weighted (?:auc|area under)")
METRICS["custom"] = KaggleMetric("custom", None, "other", "what the evaluation page says", (
    "Custom Metric", "Custom Evaluation Metric", "Score", "PostProcessorKernel", "PostProcessorKernelDesc", "Custom", "Metric"))
# Beside the fifty: what pages and registries also call metrics.
_more("f1", "label", LABEL, "F1 Score|F1|F-Score|F1-Score|F Score", r"\bf1[- ]?score|\bf1\b|f-?measure")
_less("msle", "value", "a number of at least 0", "Mean Squared Log Error|Mean Squared Logarithmic Error|MSLE", r"\bmsle\b", like="rmsle")
_more("kappa", "label", LABEL, "Cohen Kappa Score|Cohen's Kappa|Kappa|Cohens Kappa", r"cohen'?s kappa|\bkappa\b")
_more("micro_f1", "label", LABEL, "F-Score (Micro)|Micro F-Score|Micro F1|F1 Micro", r"micro(?:[- ]averaged)?[- ]f1?-?[- ]?score|micro[- ]f1")
_more("pearson", "rank", SCORE, "Pearson|Pearson Correlation Coefficient|Pearson Correlation", r"pearson(?:'s)? (?:product[- ]moment )?correlation")
_more("c_index", "rank", SCORE, "Concordance Index|C-Index", r"concordance index|\bc-index\b")
_less("medae", "value", NUMBER, "Median Absolute Error|MedAE", r"median absolute error")

EXACT = {normalise(string): row.name for row in METRICS.values() for string in (*row.strings, row.name)}
# A name with one of these words is a form of its own, unless the metric's names have the word.
CHANGES = ("weighted", "modified", "adjusted", "partial", "pseudo", "group", "balanced", "scaled", "bias")
# On the normalised name (letters and digits only); the first that fits wins.
RULES = (
    (r"^(metric|custom)\d*$|^metricnumber|custommetric|customscor|postprocessor", "custom"), (r"weightedlabelranking|lwlrap", "lwlrap"),
    (r"objdetection|objectdetection", "det_ap"), (r"objectsegmentation", "iou_seg"), (r"globalap|globalaverageprecision", "gap"),
    (r"^map\d+$|averageprecision(at|k|\d)+", "map@k"), (r"ndcg|discountedcumulative", "ndcg@k"), (r"column.*(logarithmic|log)error", "mcrmsle"),
    (r"weighted.*column.*rootmean|column.*weighted.*rootmean", "wrmse"), (r"column.*rootmeansq", "mcrmse"),
    (r"column.*(auc|areaunder)", "mcauc"), (r"column.*log(arithmic)?loss", "mclogloss"), (r"spearman", "spearman"), (r"partial|bias", "custom"),
    (r"weighted.*(auc|areaunder)", "w_auc"), (r"precisionrecall|averageprecision", "ap"), (r"(receiver|roc|auc)", "auc"),
    (r"scalederror", "wrmsse"), (r"weighted.*rootmeansq", "wrmse"), (r"rootmeansquared?percentage", "rmspe"), (r"rootmeansquared?log", "rmsle"),
    (r"rootmeansq", "rmse"), (r"weighted.*absoluteerror", "wmae"), (r"symmetric.*percentage", "smape"), (r"absolutepercentage", "mape"),
    (r"medianabsolute", "medae"), (r"meanabsolute", "mae"), (r"squaredlog", "msle"), (r"meansquared?error", "mse"), (r"quadratic.*kappa", "qwk"),
    (r"kappa", "kappa"), (r"matthews", "mcc"), (r"gini", "ngini"), (r"pinball|quantileloss", "pinball"),
    (r"levenshtein|editdistance|worderror", "levenshtein"), (r"dice|hausdorff", "dice"), (r"jaccard", "jaccard"),
    (r"kullback|kldivergence", "kld"), (r"laplace", "laplace_ll"), (r"rankedprobability|crps", "crps"), (r"hamming", "hamming"),
    (r"binomialdeviance", "binom_dev"), (r"balancedaccuracy", "balanced_accuracy"), (r"weighted.*accuracy", "w_accuracy"),
    (r"mean(fscore|f)beta", "mean_fbeta"), (r"macrof|fscoremacro|f1macro", "macro_f1"), (r"microf|fscoremicro|f1micro", "micro_f1"),
    (r"meanf(1|score)", "mean_f1"), (r"fscorebeta|fbeta|^f(2|05)", "fbeta"), (r"^f1|^fscore", "f1"), (r"multi(class|label).*los", "mlogloss"),
    (r"weighted.*log(arithmic)?loss", "mclogloss"), (r"log(arithmic)?loss|crossentropy", "logloss"), (r"accuracy", "accuracy"),
    (r"^r(2|squared)|determination", "r2"), (r"besterror", "top_k_err"), (r"pearson", "pearson"), (r"concordance", "c_index"))


@functools.cache
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), name) for pattern, name in RULES)


def kaggle_metric(text: str) -> KaggleMetric | None:
    """The metric that one of Kaggle's names stands for, None where the name is not known; 'custom' where it says nothing.

    >>> kaggle_metric("MAP@12").name, kaggle_metric("Metric #4711").name
    ('map@k', 'custom')
    """
    name = normalise(text)
    if not name:
        return None
    if name in EXACT:
        return METRICS[EXACT[name]]
    found = next((metric for pattern, metric in _rules() if pattern.search(name)), None)
    if found is None:
        return None
    known = "".join(map(normalise, METRICS[found].strings))
    return METRICS["custom" if any(word in name and word not in known for word in CHANGES) else found]
