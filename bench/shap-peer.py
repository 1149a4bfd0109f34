# The package shap's side of shap.ts: reads the trees of cases.json in a folder and writes values.json beside it.
# Interventional values come from its Exact explainer, which goes through all coalitions: its TreeExplainer keeps what
# leaves give in 32-bit numbers and agrees to about 1e-8 only.
import json
import sys
from pathlib import Path

import numpy as np
import shap


def numbers(text):
    return np.frombuffer(bytes.fromhex(text), dtype="<f8").copy()


def tree(one, output_count):
    values = np.zeros((len(one["left"]), output_count))
    values[:, one["output"]] = numbers(one["value"])
    return {
        "children_left": np.array(one["left"], dtype=np.int32),
        "children_right": np.array(one["right"], dtype=np.int32),
        "children_default": np.array(one["missing"], dtype=np.int32),
        "features": np.array(one["feature"], dtype=np.int32),
        "thresholds": numbers(one["threshold"]),
        "values": values,
        "node_sample_weight": numbers(one["rowCount"]),
    }


def model_of(case):
    return {
        "trees": [tree(one, case["outputCount"]) for one in case["trees"]],
        "input_dtype": np.float64,
        "internal_dtype": np.float64,
    }


def scores(case, rows):
    total = np.zeros((len(rows), case["outputCount"]))
    for one in case["trees"]:
        left, right, missing = (np.array(one[side]) for side in ("left", "right", "missing"))
        feature, threshold = np.array(one["feature"]), numbers(one["threshold"])
        place = np.zeros(len(rows), dtype=int)
        while (asking := feature[place] >= 0).any():
            at = place[asking]
            value = rows[asking, feature[at]]
            side = np.where(value <= threshold[at], left[at], right[at])
            place[asking] = np.where(np.isnan(value), missing[at], side)
        total[:, one["output"]] += numbers(one["value"])[place]
    return total


def flat(values, output_count):
    values = np.asarray(values)
    if values.ndim == 2:
        values = values[:, :, None]
    # Rows, outputs, features.
    return values.transpose(0, 2, 1).ravel().tolist()


folder = Path(sys.argv[1])
answers = []
for case in json.loads((folder / "cases.json").read_text()):
    width = case["featureCount"]
    rows = numbers(case["rows"]).reshape(-1, width)
    background = numbers(case["background"]).reshape(-1, width)
    path = shap.TreeExplainer(model_of(case), feature_perturbation="tree_path_dependent")
    masker = shap.maskers.Independent(background, max_samples=len(background))
    exact = shap.explainers.Exact(lambda asked: scores(case, asked), masker)
    answers.append(
        {
            "path": flat(path.shap_values(rows, check_additivity=False), case["outputCount"]),
            "interventional": flat(exact(rows).values, case["outputCount"]),
        }
    )
(folder / "values.json").write_text(json.dumps(answers))
