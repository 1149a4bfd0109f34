"""One training of LightGBM's lambdarank, for bench/ranking.ts. Usage: ranking-lightgbm.py FOLDER SETTINGS_JSON
Reads rows.bin (row-major), relevance.bin and sizes.bin (rows of each query); writes scores.bin for the rows behind
the training rows and prints {seconds} as JSON."""

import json
import os
import sys
import time

folder, settings = sys.argv[1], json.loads(sys.argv[2])
os.environ["OMP_NUM_THREADS"] = "1"

import lightgbm
import numpy

rows = numpy.fromfile(os.path.join(folder, "rows.bin")).reshape(-1, settings["columnCount"])
relevance = numpy.fromfile(os.path.join(folder, "relevance.bin"))
sizes = numpy.fromfile(os.path.join(folder, "sizes.bin")).astype(int)
query_count = settings["trainingQueryCount"]
row_count = int(sizes[:query_count].sum())
begun = time.perf_counter()
data = lightgbm.Dataset(rows[:row_count], relevance[:row_count], group=sizes[:query_count])
model = lightgbm.train(
    {
        "objective": "lambdarank",
        "learning_rate": settings["learningRate"],
        "num_leaves": settings["maxLeaves"],
        "min_data_in_leaf": settings["minRowsPerLeaf"],
        "lambda_l2": settings["l2"],
        "lambdarank_truncation_level": settings["truncation"],
        "num_threads": 1,
        "verbose": -1,
        "seed": settings["seed"],
    },
    data,
    num_boost_round=settings["iterations"],
)
seconds = time.perf_counter() - begun
model.predict(rows[row_count:], num_threads=1).tofile(os.path.join(folder, "scores.bin"))
print(json.dumps({"seconds": seconds}))
