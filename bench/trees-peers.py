"""One timed training of another library, for bench/trees.ts. Usage: trees-peers.py FOLDER SHAPE_JSON ENGINE THREADS
ENGINE: lightgbm, quantised (LightGBM with rounded gradients) or xgboost. Prints {seconds, cpuSeconds, metric, peakMiB,
addedMiB} as JSON, as bench/trees-ours.ts does."""

import json
import os
import sys
import time

folder, shape, engine, threads = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4])
os.environ["OMP_NUM_THREADS"] = str(threads)

import numpy
from sklearn.metrics import log_loss, roc_auc_score

row_count, class_count = shape["rowCount"], shape["classCount"]
column_count = shape["numberCount"] + shape["oneHotCount"] + shape["categoryCount"]
first_category = column_count - shape["categoryCount"]
rows = numpy.fromfile(os.path.join(folder, "rows.bin")).reshape(-1, column_count)
target = numpy.fromfile(os.path.join(folder, "target.bin"))


def train_lightgbm():
    import lightgbm

    parameters = {
        "objective": "binary" if class_count == 2 else "multiclass",
        "learning_rate": 0.1,
        "num_leaves": shape["leaves"],
        "min_data_in_leaf": 20,
        "num_threads": threads,
        "verbose": -1,
        "seed": 1,
        "use_quantized_grad": engine == "quantised",
    }
    if class_count > 2:
        parameters["num_class"] = class_count

    def once():
        categories = list(range(first_category, column_count))
        data = lightgbm.Dataset(rows[:row_count], target[:row_count], categorical_feature=categories)
        model = lightgbm.train(parameters, data, num_boost_round=100)
        return lambda inputs: model.predict(inputs, num_threads=threads)

    return once


def train_xgboost():
    import xgboost

    types = ["q"] * first_category + ["c"] * shape["categoryCount"]
    parameters = {
        "objective": "binary:logistic" if class_count == 2 else "multi:softprob",
        "tree_method": "hist",
        "grow_policy": "lossguide",
        "learning_rate": 0.1,
        "max_leaves": shape["leaves"],
        "max_depth": 0,
        "max_bin": 255,
        # The nearest that it has to a least number of rows.
        "min_child_weight": 1,
        "lambda": 0,
        "nthread": threads,
        "seed": 1,
    }
    if class_count > 2:
        parameters["num_class"] = class_count
    more = {"feature_types": types, "enable_categorical": True, "nthread": threads}

    def once():
        data = xgboost.QuantileDMatrix(rows[:row_count], target[:row_count], max_bin=255, **more)
        model = xgboost.train(parameters, data, num_boost_round=100)
        return lambda inputs: model.predict(xgboost.DMatrix(inputs, **more))

    return once


def status_mib(field):
    # Not getrusage's figure, which begins with what the parent process held.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field)) / 1024


once = train_xgboost() if engine == "xgboost" else train_lightgbm()
held_mib = status_mib("VmRSS")
runs = []
for _ in range(shape["repeats"]):
    begun, begun_cpu = time.perf_counter(), time.process_time()
    predict = once()
    runs.append((time.perf_counter() - begun, time.process_time() - begun_cpu))
seconds, cpu_seconds = (sorted(column)[len(runs) // 2] for column in zip(*runs))
peak_mib = status_mib("VmHWM")
answers = predict(rows[row_count:])
truth = target[row_count:]
metric = roc_auc_score(truth, answers) if class_count == 2 else log_loss(truth, answers)
print(
    json.dumps(
        {
            "seconds": seconds,
            "cpuSeconds": cpu_seconds,
            "metric": metric,
            "peakMiB": peak_mib,
            "addedMiB": peak_mib - held_mib,
        }
    )
)
