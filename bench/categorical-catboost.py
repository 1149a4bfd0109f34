"""Trainings of CatBoost, one for each fold, for bench/categorical-boosting.ts.
Usage: categorical-catboost.py FILE ITERATIONS, where FILE is JSON: {task, target, folds, features: [{kind, values}]}.
Prints [{cpuSeconds, seconds, predictions}] as JSON: shares of each class, or values. One thread, CatBoost's own settings."""

import json
import sys
import time

import numpy
from catboost import CatBoostClassifier, CatBoostRegressor, Pool

with open(sys.argv[1]) as file:
    data = json.load(file)
iterations = int(sys.argv[2])
target = numpy.array(data["target"])
columns = [
    numpy.array(feature["values"], dtype=object)
    if feature["kind"] == "category"
    else numpy.array([numpy.nan if value is None else value for value in feature["values"]], dtype=object)
    for feature in data["features"]
]
categories = [index for index, feature in enumerate(data["features"]) if feature["kind"] == "category"]
rows = numpy.stack(columns, axis=1)
runs = []
for fold in data["folds"]:
    settings = {"iterations": iterations, "thread_count": 1, "random_seed": 1, "verbose": False, "allow_writing_files": False}
    if data["task"] == "regression":
        model = CatBoostRegressor(**settings)
    else:
        loss = "Logloss" if data["task"] == "binary" else "MultiClass"
        model = CatBoostClassifier(loss_function=loss, **settings)
    pool = Pool(rows[fold["training"]], target[fold["training"]], cat_features=categories)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    model.fit(pool)
    used = {"seconds": time.perf_counter() - begun, "cpuSeconds": time.process_time() - begun_cpu}
    asked = Pool(rows[fold["validation"]], cat_features=categories)
    answers = model.predict(asked) if data["task"] == "regression" else model.predict_proba(asked)
    runs.append({**used, "predictions": numpy.asarray(answers, dtype=float).reshape(-1).tolist()})
print(json.dumps(runs))
