"""One timed training of LightGBM, for bench/trees.ts. Usage: trees-lightgbm.py FOLDER SHAPE_JSON MODE THREADS
Prints {seconds, cpuSeconds, metric, peakMiB} as JSON, as bench/trees-ours.ts does."""

import json
import os
import sys
import time

folder, shape, mode, threads = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4])
os.environ["OMP_NUM_THREADS"] = str(threads)

import lightgbm
import numpy
from sklearn.metrics import log_loss, roc_auc_score

row_count, class_count = shape["rowCount"], shape["classCount"]
column_count = shape["numberCount"] + shape["oneHotCount"] + shape["categoryCount"]
rows = numpy.fromfile(os.path.join(folder, "rows.bin")).reshape(-1, column_count)
target = numpy.fromfile(os.path.join(folder, "target.bin"))
parameters = {
    "objective": "binary" if class_count == 2 else "multiclass",
    "learning_rate": 0.1,
    "num_leaves": shape["leaves"],
    "min_data_in_leaf": 20,
    "num_threads": threads,
    "verbose": -1,
    "seed": 1,
}
if class_count > 2:
    parameters["num_class"] = class_count
if mode == "quantised":
    parameters["use_quantized_grad"] = True
categories = list(range(column_count - shape["categoryCount"], column_count))
runs = []
for _ in range(shape["repeats"]):
    begun, begun_cpu = time.perf_counter(), time.process_time()
    data = lightgbm.Dataset(rows[:row_count], target[:row_count], categorical_feature=categories)
    model = lightgbm.train(parameters, data, num_boost_round=100)
    runs.append((time.perf_counter() - begun, time.process_time() - begun_cpu))
seconds, cpu_seconds = (sorted(column)[len(runs) // 2] for column in zip(*runs))
# Not getrusage's figure, which begins with what the parent process held.
with open("/proc/self/status") as status:
    peak_mib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
answers = model.predict(rows[row_count:], num_threads=threads)
truth = target[row_count:]
metric = roc_auc_score(truth, answers) if class_count == 2 else log_loss(truth, answers)
print(json.dumps({"seconds": seconds, "cpuSeconds": cpu_seconds, "metric": metric, "peakMiB": peak_mib}))
