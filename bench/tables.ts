// What the benchmarks over a folder of data sets share: the tables that its INDEX.json lists, and a log of results, one line
// of JSON each, from which a run that was stopped goes on.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A data set as INDEX.json describes it. */
export interface ListedTable {
  name: string;
  target: string;
  task: string;
  files: { path: string; role: string }[];
}

const telling: Readonly<Record<string, readonly string[]>> = {
  ai4i2020: ['TWF', 'HDF', 'PWF', 'OSF', 'RNF'],
  energy_efficiency: ['Cooling Load'],
  nyc_taxis: ['total', 'tip'],
};

/** The tables of these names, with commas; all tables with columns when it is `all` or missing. */
export function tablesIn(folder: string, names = 'all'): ListedTable[] {
  const index = JSON.parse(readFileSync(join(folder, 'INDEX.json'), 'utf8')) as { datasets: ListedTable[] };
  const wanted = names === 'all' ? undefined : names.split(',');
  return index.datasets.filter(({ name, task }) =>
    wanted ? wanted.includes(name) : task.startsWith('tabular'),
  );
}

/** Where the rows of a table are. */
export function dataFileOf(folder: string, { files }: ListedTable): string {
  return join(folder, files.find(({ role }) => role === 'data')!.path);
}

/** Columns that say the target in other words. */
export function tellingColumnsOf({ name }: ListedTable): readonly string[] {
  return telling[name] ?? [];
}

/** Results, those in `file` first, if one is given; what is added goes there too. */
export class ResultLog<Result> {
  readonly results: Result[];
  readonly #file: string | undefined;

  constructor(file: string | undefined) {
    this.#file = file;
    const lines = file && existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
    this.results = lines.map((line) => JSON.parse(line) as Result);
  }

  add(result: Result): void {
    this.results.push(result);
    if (this.#file) appendFileSync(this.#file, `${JSON.stringify(result)}\n`);
  }
}
