# LightGBM on the same rows as bench/large-ours.ts. Usage: large-lightgbm.py PARQUET SETTINGS
import json
import re
import sys
import time

import lightgbm
import numpy
import pyarrow
import pyarrow.parquet

path, settings = sys.argv[1], json.loads(sys.argv[2])
begun = time.perf_counter()
file = pyarrow.parquet.ParquetFile(path)
row_count = file.metadata.num_rows
names = [name for name in file.schema_arrow.names if name != settings["target"]]
features = numpy.empty((row_count, len(names)), dtype=numpy.float32)
categories = []
for index, name in enumerate(names):
    column = pyarrow.parquet.read_table(path, columns=[name]).column(0)
    if pyarrow.types.is_string(column.type):
        categories.append(index)
        column = column.combine_chunks().dictionary_encode()
        column = (column.chunk(0) if isinstance(column, pyarrow.ChunkedArray) else column).indices
    elif pyarrow.types.is_date(column.type):
        column = column.cast(pyarrow.int32())
    features[:, index] = column.to_numpy(zero_copy_only=False) if isinstance(column, pyarrow.Array) else column.to_numpy()
target = pyarrow.parquet.read_table(path, columns=[settings["target"]]).column(0).to_numpy()

# The draws of pipeline/data/row-stream.ts.
mask = numpy.uint64(0xFFFFFFFF)
draws = (numpy.arange(row_count, dtype=numpy.uint64) * numpy.uint64(2654435769) + numpy.uint64(settings["seed"])) & mask
draws = ((draws ^ (draws >> numpy.uint64(16))) * numpy.uint64(569420461)) & mask
draws = ((draws ^ (draws >> numpy.uint64(15))) * numpy.uint64(1935289751)) & mask
draws = draws ^ (draws >> numpy.uint64(15))
held_out = draws / 2**32 < settings["heldOutRows"] / row_count
read = time.perf_counter()
train = lightgbm.Dataset(features[~held_out], target[~held_out], categorical_feature=categories)
model = lightgbm.train(
    {
        "objective": "binary",
        "num_leaves": settings["leaves"],
        "learning_rate": 0.1,
        "min_data_in_leaf": 20,
        "num_threads": settings["threads"],
        "verbose": -1,
    },
    train,
    settings["rounds"],
)
trained = time.perf_counter()
with open("/proc/self/status") as status:
    peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) / 1024
scores = model.predict(features[held_out])
truth = target[held_out]
order = numpy.argsort(scores, kind="stable")
ranks = numpy.empty(len(order))
ranks[order] = numpy.arange(1, len(order) + 1)
positives = truth.sum()
area = (ranks[truth == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(truth) - positives))
print(
    json.dumps(
        {
            "rows": int((~held_out).sum()),
            "readingSeconds": read - begun,
            "seconds": trained - begun,
            "area": float(area),
            "peakMiB": peak,
        }
    )
)
