"""Batch prediction of other libraries on one thread, for bench/trees-predict.ts. Usage: trees-predict-peers.py FOLDER
FEATURES. Trains LightGBM on rows.bin and target.bin, and prints the processor microseconds a row that its own prediction
takes, and onnxruntime's for the same trees."""

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"

import lightgbm
import numpy
import onnxruntime
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

folder, feature_count = sys.argv[1], int(sys.argv[2])
rows = numpy.fromfile(os.path.join(folder, "rows.bin")).reshape(-1, feature_count)
target = numpy.fromfile(os.path.join(folder, "target.bin"))
parameters = {"objective": "regression", "num_leaves": 31, "learning_rate": 0.1, "num_threads": 1, "verbose": -1}
model = lightgbm.train(parameters, lightgbm.Dataset(rows, target), num_boost_round=100)
onnx = convert_lightgbm(model, initial_types=[("input", FloatTensorType([None, feature_count]))], target_opset=15)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(onnx.SerializeToString(), options, providers=["CPUExecutionProvider"])
narrow = rows.astype(numpy.float32)


def report(name, predict):
    times = []
    for _ in range(15):
        begun = time.process_time()
        predict()
        times.append((time.process_time() - begun) * 1e6 / len(rows))
    times.sort()
    print(f"{name:12} median {times[7]:.2f}, best {times[0]:.2f} processor microseconds a row")


report("lightgbm", lambda: model.predict(rows, num_threads=1))
report("onnxruntime", lambda: session.run(None, {"input": narrow}))
