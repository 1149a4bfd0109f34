"""Trainings of scikit-learn's counterparts, one for each fold, for bench/learners.ts.
Usage: learners-sklearn.py FILE, where FILE is JSON: {task, target, folds, features: [{kind, values}]}.
Prints {name: [{cpuSeconds, predictions}]} as JSON: shares of each class, or values. Numbers are standardised, missing
ones filled with the mean and marked; categories are one-hot."""

import json
import sys
import time
import warnings

import numpy
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")
with open(sys.argv[1]) as file:
    data = json.load(file)
is_regression = data["task"] == "regression"
target = numpy.array(data["target"])
kinds = [feature["kind"] for feature in data["features"]]
rows = numpy.array(
    [[numpy.nan if value is None else value for value in feature["values"]] for feature in data["features"]], dtype=float
).T
numbers = [index for index, kind in enumerate(kinds) if kind == "number"]
categories = [index for index, kind in enumerate(kinds) if kind == "category"]


def preparation():
    fill = make_pipeline(SimpleImputer(strategy="mean", add_indicator=True), StandardScaler())
    mark = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    )
    return ColumnTransformer([("numbers", fill, numbers), ("categories", mark, categories)])


def models(row_count):
    if is_regression:
        return {
            "linear": Ridge(alpha=1),
            # The penalty of 3 rows, on a standardised target.
            "linear, L1": Lasso(alpha=3 / row_count, max_iter=10_000),
            "neighbours": KNeighborsRegressor(15, weights="distance"),
            "network": MLPRegressor(hidden_layer_sizes=(64, 64), early_stopping=True, max_iter=200, random_state=1),
        }
    return {
        "linear": LogisticRegression(C=1, max_iter=1000),
        "linear, L1": LogisticRegression(C=1 / 3, l1_ratio=1, solver="saga", max_iter=1000),
        "naive-bayes": GaussianNB(),
        "neighbours": KNeighborsClassifier(15, weights="distance"),
        "network": MLPClassifier(hidden_layer_sizes=(64, 64), early_stopping=True, max_iter=200, random_state=1),
    }


runs = {}
for fold in data["folds"]:
    own = target[fold["training"]]
    centre, spread = (own.mean(), own.std()) if is_regression else (0, 1)
    for name, model in models(len(own)).items():
        begun = time.process_time()
        pipeline = make_pipeline(preparation(), model)
        pipeline.fit(rows[fold["training"]], (own - centre) / spread if is_regression else own)
        seconds = time.process_time() - begun
        asked = rows[fold["validation"]]
        answers = pipeline.predict(asked) * spread + centre if is_regression else pipeline.predict_proba(asked)
        runs.setdefault(name, []).append(
            {"cpuSeconds": seconds, "predictions": numpy.asarray(answers, dtype=float).reshape(-1).tolist()}
        )
print(json.dumps(runs))
