"""Trainings of LightGBM, by default and with rounded gradients, one for each fold, for bench/trees-quality.ts.
Usage: trees-quality-peers.py FOLDER, which holds data.json and each feature as float64. Prints the predictions as JSON:
{"lightgbm": [of each fold], "quantised": [...]}, shares of each class or values."""

import json
import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"

import lightgbm
import numpy

folder = sys.argv[1]
with open(os.path.join(folder, "data.json")) as file:
    data = json.load(file)
rows = numpy.stack(
    [numpy.fromfile(os.path.join(folder, f"{index}.bin")) for index in range(data["featureCount"])], axis=1
)
target = numpy.array(data["target"])
settings = data["settings"]
objectives = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}


def predictions(fold, is_quantised):
    parameters = {
        "objective": objectives[data["task"]],
        "learning_rate": settings["learningRate"],
        "num_leaves": settings["maxLeaves"],
        "min_data_in_leaf": settings["minRowsPerLeaf"],
        "lambda_l2": settings["l2"],
        "num_threads": 1,
        "verbose": -1,
        "seed": 1,
        "use_quantized_grad": is_quantised,
    }
    if data["task"] == "multiclass":
        parameters["num_class"] = data["classCount"]
    learned = lightgbm.Dataset(
        rows[fold["training"]], target[fold["training"]], categorical_feature=data["categories"]
    )
    model = lightgbm.train(parameters, learned, num_boost_round=settings["iterations"])
    answers = model.predict(rows[fold["validation"]], num_threads=1)
    if data["task"] == "binary":
        answers = numpy.stack([1 - answers, answers], axis=1)
    return numpy.asarray(answers).reshape(-1).tolist()


print(
    json.dumps(
        {
            "lightgbm": [predictions(fold, False) for fold in data["folds"]],
            "quantised": [predictions(fold, True) for fold in data["folds"]],
        }
    )
)
