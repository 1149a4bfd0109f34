"""One isolation forest of scikit-learn, for bench/isolation-forest.ts. Usage: isolation-forest-sklearn.py FOLDER
COLUMN_COUNT SEED. Reads rows.bin (row-major), writes scores.bin (more is stranger) and prints {seconds} as JSON."""

import json
import os
import sys
import time

folder, column_count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.environ["OMP_NUM_THREADS"] = "1"

import numpy
from sklearn.ensemble import IsolationForest

rows = numpy.fromfile(os.path.join(folder, "rows.bin")).reshape(-1, column_count)
begun = time.perf_counter()
forest = IsolationForest(n_estimators=100, max_samples=256, random_state=seed, n_jobs=1).fit(rows)
scores = -forest.score_samples(rows)
seconds = time.perf_counter() - begun
scores.astype(numpy.float64).tofile(os.path.join(folder, "scores.bin"))
print(json.dumps({"seconds": seconds}))
