"""Saves an ONNX model as an MLflow model that onnxruntime answers for, for bench/serving.ts. Usage: serving-mlflow.py MODEL FOLDER"""

import sys

import mlflow.pyfunc
import numpy

model, folder = sys.argv[1:3]


class Onnx(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = context.artifacts["model"]
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        kinds = {"tensor(double)": numpy.float64, "tensor(float)": numpy.float32, "tensor(string)": object}
        self.inputs = [(one.name, kinds[one.type]) for one in self.session.get_inputs()]

    def predict(self, context, model_input, params=None):
        columns = {
            name: model_input[name].to_numpy(dtype=kind).reshape(-1, 1) for name, kind in self.inputs
        }
        return self.session.run(None, columns)[0].ravel()


mlflow.pyfunc.save_model(folder, python_model=Onnx(), artifacts={"model": model})
