"""Writes small models of other tools as ONNX, with rows and the tools' own answers for them: what test/foreign-models
holds. Everything is learned from made-up numbers. Usage: foreign-models.py FOLDER
Packages: scikit-learn, skl2onnx, onnxmltools, lightgbm, xgboost, onnx, onnxruntime, pandas."""
import json
import sys
import warnings
from pathlib import Path

import lightgbm
import numpy
import onnx
import onnxmltools
import onnxruntime
import pandas
import skl2onnx
import xgboost
from onnx import TensorProto, helper, numpy_helper
from onnxmltools.convert.common.data_types import FloatTensorType as ToolFloats
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
random = numpy.random.default_rng(7)
table = random.normal(size=(240, 4)).astype(numpy.float32)
numbered = (table[:, 0] + table[:, 1] ** 2 > 1).astype(int) + (table[:, 2] > 0.5)
named = numpy.array(["low", "middle", "high"])[numbered]
value = (3 * table[:, 0] - table[:, 3] ** 2 + random.normal(size=240) * 0.1).astype(numpy.float32)
shown = 20
expected = {}


def plain(number):
    return None if number != number else float(number)


def keep(name, model, rows, prediction, probabilities=None, classes=None, tool=""):
    """`rows`: dictionaries by column. `probabilities`: rows x classes."""
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
    expected[name] = {
        "tool": tool,
        "rows": rows,
        "prediction": [entry if isinstance(entry, str) else plain(entry) for entry in prediction],
        **({} if probabilities is None else {"probabilities": [[plain(share) for share in row] for row in probabilities]}),
        **({} if classes is None else {"classes": [str(entry) for entry in classes]}),
    }


def rows_of(numbers):
    return [{f"f{index}": plain(entry) for index, entry in enumerate(row)} for row in numbers[:shown]]


def classifier(name, learned, model, tool, features=table, scale=True):
    answers = [str(entry) for entry in learned.predict(features[:shown])]
    shares = learned.predict_proba(features[:shown]) if scale else None
    keep(name, model, rows_of(features), answers, shares, learned.classes_, tool)


sklearn_tool = f"scikit-learn {__import__('sklearn').__version__}, skl2onnx {skl2onnx.__version__}"
forest = RandomForestClassifier(4, max_depth=4, random_state=1).fit(table, numbered)
classifier("sklearn-forest", forest, skl2onnx.to_onnx(forest, table[:1]), sklearn_tool)
network = MLPClassifier((6,), max_iter=200, random_state=1).fit(table, named)
classifier(
    "sklearn-network", network, skl2onnx.to_onnx(network, table[:1], options={"zipmap": False}), sklearn_tool
)
margins = LinearSVC(random_state=1).fit(table, named)
classifier("sklearn-margins", margins, skl2onnx.to_onnx(margins, table[:1]), sklearn_tool, scale=False)
boosted = GradientBoostingRegressor(n_estimators=8, random_state=1).fit(table, value)
keep("sklearn-number", skl2onnx.to_onnx(boosted, table[:1]), rows_of(table), boosted.predict(table[:shown]), tool=sklearn_tool)

people = pandas.DataFrame(
    {
        "age": numpy.where(random.random(240) < 0.15, numpy.nan, numpy.round(random.uniform(18, 80, 240))),
        "town": numpy.array(["Oulu", "Turku", "Espoo"])[random.integers(0, 3, 240)],
        "visits": random.integers(0, 9, 240),
    }
)
left = numpy.where(people["visits"] + people["town"].eq("Oulu") * 3 + random.normal(size=240) > 5, "yes", "no")
pipeline = make_pipeline(
    ColumnTransformer(
        [
            ("age", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("visits", StandardScaler(), ["visits"]),
            ("town", OneHotEncoder(handle_unknown="ignore"), ["town"]),
        ]
    ),
    LogisticRegression(),
).fit(people, left)
types = [
    ("age", FloatTensorType([None, 1])),
    ("town", StringTensorType([None, 1])),
    ("visits", Int64TensorType([None, 1])),
]
some = people[:shown]
keep(
    "sklearn-pipeline",
    skl2onnx.convert_sklearn(pipeline, initial_types=types),
    [{"age": plain(row.age), "town": row.town, "visits": int(row.visits)} for row in some.itertuples()],
    [str(entry) for entry in pipeline.predict(some)],
    pipeline.predict_proba(some),
    pipeline.classes_,
    sklearn_tool,
)

gaps = table.copy()
gaps[random.random(gaps.shape) < 0.1] = numpy.nan
light_tool = f"LightGBM {lightgbm.__version__}, onnxmltools {onnxmltools.__version__}"
light = lightgbm.LGBMClassifier(n_estimators=6, num_leaves=6, verbose=-1).fit(gaps, numbered)
tensor = [("input", ToolFloats([None, 4]))]
classifier("lightgbm-classes", light, onnxmltools.convert_lightgbm(light, initial_types=tensor), light_tool, gaps)
light = lightgbm.LGBMRegressor(n_estimators=6, num_leaves=6, verbose=-1).fit(gaps, value)
keep("lightgbm-number", onnxmltools.convert_lightgbm(light, initial_types=tensor), rows_of(gaps), light.predict(gaps[:shown]), tool=light_tool)
xgb_tool = f"XGBoost {xgboost.__version__}, onnxmltools {onnxmltools.__version__}"
trees = xgboost.XGBClassifier(n_estimators=6, max_depth=3).fit(gaps, (numbered > 0).astype(int))
classifier("xgboost-classes", trees, onnxmltools.convert_xgboost(trees, initial_types=tensor), xgb_tool, gaps)
trees = xgboost.XGBRegressor(n_estimators=6, max_depth=3).fit(gaps, value)
keep("xgboost-number", onnxmltools.convert_xgboost(trees, initial_types=tensor), rows_of(gaps), trees.predict(gaps[:shown]), tool=xgb_tool)


def perceptron(outputs, ending, batch):
    """As torch.onnx writes two linear layers: Gemm with transposed weights, one tensor in and one out."""
    weights = [random.normal(size=size).astype(numpy.float32) for size in ((5, 4), (5,), (outputs, 5), (outputs,))]
    stored = [numpy_helper.from_array(each, name) for each, name in zip(weights, ("w1", "b1", "w2", "b2"))]
    last = "logits" if ending else "output"
    nodes = [
        helper.make_node("Gemm", ["input", "w1", "b1"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "w2", "b2"], [last], transB=1),
        *([helper.make_node(ending, [last], ["output"])] if ending else []),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, width])
        for name, width in (("input", 4), ("output", outputs))
    ]
    graph = helper.make_graph(nodes, "main_graph", ends[:1], ends[1:], stored)
    model = helper.make_model(graph, producer_name="pytorch", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    answers = [session.run(None, {"input": row[None]})[0][0] for row in table[:shown]]
    return model, numpy.array(answers, dtype=numpy.float64)


network_tool = f"onnxruntime {onnxruntime.__version__}, in the form of torch.onnx"
model, logits = perceptron(3, None, 1)
powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
shares = powers / powers.sum(axis=1, keepdims=True)
keep("network-one-at-a-time", model, rows_of(table), [str(place) for place in shares.argmax(axis=1)], shares, [0, 1, 2], network_tool)
model, positive = perceptron(1, "Sigmoid", "batch")
keep(
    "network-yes-or-no",
    model,
    rows_of(table),
    [str(int(share[0] > 0.5)) for share in positive],
    numpy.hstack([1 - positive, positive]),
    [0, 1],
    network_tool,
)
(folder / "expected.json").write_text(json.dumps(expected) + "\n")
