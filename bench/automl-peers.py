"""One training of a peer on one split, for bench/automl.ts.
Usage: automl-peers.py FOLDER ENGINE SECONDS THREADS, where FOLDER holds training.csv, test.csv and split.json:
{target, task, classes}. Engines: lightgbm, xgboost, catboost (each with its defaults, no time limit), flaml,
autogluon-medium, autogluon-best. Writes answers.json to FOLDER: for each row of test.csv the shares of the classes, or
the value. Columns that are not numbers are categories to the three libraries that leave that to their user."""

import json
import os
import sys
import warnings

folder, engine, seconds, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
os.environ["OMP_NUM_THREADS"] = str(threads)
warnings.filterwarnings("ignore")

import numpy
import pandas

with open(os.path.join(folder, "split.json")) as file:
    split = json.load(file)
target, task, classes = split["target"], split["task"], split["classes"]
is_regression = task == "regression"
training = pandas.read_csv(os.path.join(folder, "training.csv"))
test = pandas.read_csv(os.path.join(folder, "test.csv"))
if not is_regression:
    training[target] = training[target].astype(str)
names = [name for name in training.columns if name != target]


def as_categories():
    """Equal categories in both tables; values that only the test has become missing."""
    first, second = training[names].copy(), test[names].copy()
    for name in names:
        if not pandas.api.types.is_numeric_dtype(first[name]):
            values = first[name].astype(str).where(first[name].notna())
            kind = pandas.CategoricalDtype(sorted(values.dropna().unique()))
            first[name] = values.astype(kind)
            second[name] = second[name].astype(str).where(second[name].notna()).astype(kind)
    # Some libraries refuse names with brackets.
    first.columns = second.columns = [f"f{index}" for index in range(len(names))]
    return first, second


def codes():
    return training[target].map({name: code for code, name in enumerate(classes)})


def answer_of(model, rows):
    return model.predict(rows) if is_regression else model.predict_proba(rows)


def lightgbm():
    import lightgbm

    first, second = as_categories()
    kind = lightgbm.LGBMRegressor if is_regression else lightgbm.LGBMClassifier
    model = kind(n_jobs=threads, verbose=-1, random_state=1)
    model.fit(first, training[target] if is_regression else codes())
    return answer_of(model, second)


def xgboost():
    import xgboost

    first, second = as_categories()
    kind = xgboost.XGBRegressor if is_regression else xgboost.XGBClassifier
    model = kind(n_jobs=threads, enable_categorical=True, random_state=1)
    model.fit(first, training[target] if is_regression else codes())
    return answer_of(model, second)


def catboost():
    import catboost

    first, second = as_categories()
    categories = [name for name in first.columns if str(first[name].dtype) == "category"]
    for rows in (first, second):
        for name in categories:
            rows[name] = rows[name].astype(object).fillna("missing").astype(str)
    kind = catboost.CatBoostRegressor if is_regression else catboost.CatBoostClassifier
    model = kind(thread_count=threads, verbose=False, random_seed=1, allow_writing_files=False)
    model.fit(first, training[target] if is_regression else codes(), cat_features=categories)
    return answer_of(model, second)


def flaml():
    from flaml import AutoML

    first, second = as_categories()
    model = AutoML()
    metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[task]
    model.fit(
        first,
        training[target] if is_regression else codes().to_numpy(),
        task="regression" if is_regression else "classification",
        metric=metric,
        time_budget=seconds,
        n_jobs=threads,
        seed=1,
        verbose=0,
    )
    return answer_of(model, second)


def autogluon(preset):
    from autogluon.tabular import TabularPredictor

    metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "root_mean_squared_error"}[task]
    model = TabularPredictor(
        label=target, problem_type=task, eval_metric=metric, path=os.path.join(folder, "autogluon"), verbosity=0
    )
    model.fit(training, time_limit=seconds, presets=preset, num_cpus=threads)
    if is_regression:
        return model.predict(test[names]).to_numpy()
    return model.predict_proba(test[names])[classes].to_numpy()


engines = {
    "lightgbm": lightgbm,
    "xgboost": xgboost,
    "catboost": catboost,
    "flaml": flaml,
    "autogluon-medium": lambda: autogluon("medium_quality"),
    "autogluon-best": lambda: autogluon("best_quality"),
}
answers = numpy.asarray(engines[engine](), dtype=float)
with open(os.path.join(folder, "answers.json"), "w") as file:
    json.dump(answers.tolist(), file)
