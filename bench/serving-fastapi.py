"""A server of one ONNX model for bench/serving.ts: FastAPI on uvicorn (uvloop, httptools), onnxruntime on one thread.
Usage: serving-fastapi.py MODEL PORT. POST /predict takes {"rows": [{column: value}]}."""

import sys

import numpy
import onnxruntime
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

model, port = sys.argv[1:3]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
kinds = {"tensor(double)": numpy.float64, "tensor(float)": numpy.float32, "tensor(string)": object}
inputs = [(one.name, kinds[one.type]) for one in session.get_inputs()]
outputs = [one.name for one in session.get_outputs()]


class Asked(BaseModel):
    rows: list[dict[str, float | str | None]]


app = FastAPI()


@app.post("/predict")
async def predict(asked: Asked):
    columns = {
        name: numpy.array([[row[name]] for row in asked.rows], dtype=kind) for name, kind in inputs
    }
    answers = session.run(None, columns)
    return {name: answer.tolist() for name, answer in zip(outputs, answers)}


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
