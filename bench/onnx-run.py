"""Answers of an ONNX model in onnxruntime. Usage: onnx-run.py MODEL COLUMNS.json; COLUMNS.json holds lists by name.
Prints the outputs as JSON lists by name, and how long the runtime took."""
import json
import sys
import time

import numpy
import onnx
import onnxruntime

model, columns = sys.argv[1:]
onnx.checker.check_model(model, full_check=True)
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
session = onnxruntime.InferenceSession(model, options)
with open(columns) as file:
    rows = json.load(file)


def column(wanted):
    values = rows[wanted.name]
    if wanted.type == "tensor(string)":
        return numpy.array([value or "" for value in values], dtype=object).reshape(-1, 1)
    return numpy.array([numpy.nan if value is None else value for value in values], dtype=numpy.float64).reshape(-1, 1)


feeds = {wanted.name: column(wanted) for wanted in session.get_inputs()}
started = time.process_time()
outputs = session.run(None, feeds)
seconds = time.process_time() - started


def plain(values):
    return [plain(value) for value in values] if isinstance(values, list) else None if values != values else values


named = {output.name: plain(values.tolist()) for output, values in zip(session.get_outputs(), outputs)}
json.dump({"outputs": named, "seconds": seconds, "version": onnxruntime.__version__}, sys.stdout)
