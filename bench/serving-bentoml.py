"""A BentoML service of one ONNX model for bench/serving.ts, onnxruntime on one thread. The model's path is in BENCH_MODEL.
Served by: bentoml serve serving-bentoml:Trees. POST /predict takes {"rows": [{column: value}]}."""

import os

import bentoml
import numpy
import onnxruntime


@bentoml.service(workers=1)
class Trees:
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"]
        )
        kinds = {"tensor(double)": numpy.float64, "tensor(float)": numpy.float32, "tensor(string)": object}
        self.inputs = [(one.name, kinds[one.type]) for one in self.session.get_inputs()]
        self.outputs = [one.name for one in self.session.get_outputs()]

    @bentoml.api
    def predict(self, rows: list[dict[str, float | str | None]]) -> dict:
        columns = {name: numpy.array([[row[name]] for row in rows], dtype=kind) for name, kind in self.inputs}
        answers = self.session.run(None, columns)
        return {name: answer.tolist() for name, answer in zip(self.outputs, answers)}
