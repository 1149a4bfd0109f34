// The commands that need no server: fit, predict, explain, export. Declarations; the engine is loaded when one of them runs.
import type { Command } from 'commander';
import { act } from '../act.ts';
import { addImportOptions, type ImportFlags } from '../import-options.ts';
import { addRecipeOptions, type RecipeOptions } from '../recipe-options.ts';
import { addTrustOption, type TrustOption } from '../trust-option.ts';
import { choice } from '../values.ts';

export interface FitOptions extends RecipeOptions, ImportFlags {
  out: string;
  sign: boolean;
}

export interface PredictOptions extends ImportFlags, TrustOption {
  out?: string;
}

export interface ExportOptions extends TrustOption {
  format: 'onnx';
  out?: string;
}

export function addLocalCommands(program: Command): void {
  const fit = program
    .command('fit')
    .description('train a model on a file, without a server')
    .argument('<file>', 'CSV, TSV, JSON Lines or Parquet, plain or gzip')
    .option('--out <file>', 'where to write the model', 'model.pilvi')
    .option('--no-sign', 'leave the model unsigned: its bytes are then the same on every machine');
  addImportOptions(addRecipeOptions(fit)).action(
    act(
      async (session, options: FitOptions, file: string) =>
        (await import('./fit.ts')).fit(session, options, file),
      async (result) => (await import('./fit.ts')).showFit(result),
    ),
  );
  const predict = program
    .command('predict')
    .description('predict for the rows of a file; answers are in the order of the rows')
    .argument('<model>', 'a .pilvi file (no server needed), or an endpoint of a server by name or id')
    .argument('<file>', 'CSV, TSV, JSON Lines or Parquet, plain or gzip')
    .option('--out <file>', 'the CSV to write; left out, stdout');
  addImportOptions(addTrustOption(predict)).action(
    act(
      async (session, options: PredictOptions, ...[model, file]: [string, string]) =>
        (await import('./predict.ts')).predict(session, options, model, file),
      async (result) => (await import('./predict.ts')).showPredictions(result),
    ),
  );
  const explain = program
    .command('explain')
    .description('what a model is, how good it is, and what it leans on')
    .argument('<model>', 'a .pilvi file (no server needed), or a model of a server');
  addTrustOption(explain).action(
    act(
      async (session, options: TrustOption, model: string) =>
        (await import('./explain.ts')).explain(session, options, model),
      async (result) => (await import('./explain.ts')).showExplanation(result),
    ),
  );
  const exporting = program
    .command('export')
    .description('a model in a format of others, for programs that know nothing of Pilvi')
    .argument('<model>', 'a .pilvi file (no server needed), or a model of a server')
    .addOption(choice('--format <format>', 'the format', ['onnx']).default('onnx'))
    .option('--out <file>', 'where to write it; left out, the name of the model with .onnx');
  addTrustOption(exporting).action(
    act(
      async (session, options: ExportOptions, model: string) =>
        (await import('./export.ts')).exportModel(session, options, model),
      async (result) => (await import('./export.ts')).showExport(result),
    ),
  );
}
