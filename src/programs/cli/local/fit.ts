// `pilvi fit FILE --target COL`: a file becomes a model file. The same tasks as on a server, run in this process.
import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recipe } from '../../../contract/training.ts';
import { Problem } from '../../../base/problems.ts';
import type { Signer } from '../../../ml/model/header.ts';
import { run as train, type TrainingResult } from '../../../pipeline/train/training-task.ts';
import { openSigner } from '../../../platform/security/signing/key-file.ts';
import { signFile } from '../../../platform/security/signing/signing.ts';
import { fileProblem } from '../failure.ts';
import { checkFile, checkTarget } from '../files.ts';
import { importOptionsOf } from '../import-options.ts';
import { printImportance } from '../importance.ts';
import { printMoney } from '../money.ts';
import { recipeOf } from '../recipe-options.ts';
import type { Session } from '../session.ts';
import { rowsInWords } from '../rows-in-words.ts';
import { printProperties, printTable } from '../table.ts';
import { note, print } from '../terminal.ts';
import { trialLine } from '../trial-line.ts';
import { bytesInWords, durationInWords, scoreInWords } from '../words.ts';
import { importLocally } from './import-file.ts';
import type { FitOptions } from './local.ts';
import { localTaskContext } from './local-task.ts';
import { withWorkFolder } from './work-folder.ts';

/** As much as a server gives a job unless told otherwise, so that both make the same model. */
const defaultMemoryMiB = 2048;
const mebibyte = 1024 ** 2;

/** What a fit tells: where the model is, and everything that a training on a server would tell. */
export interface FitResult extends TrainingResult {
  file: string;
  sizeBytes: number;
  rowCount: number;
  /** The public key that the model is signed with; null: unsigned. */
  signer: string | null;
}

/** Trains on `file` and writes the model. @throws Problem what cannot be read or learned */
export async function fit(session: Session, options: FitOptions, file: string): Promise<FitResult> {
  const startedMs = performance.now();
  await checkFile(file);
  await checkTarget(options.out);
  const imports = importOptionsOf(options);
  const signer = options.sign ? await ownSigner(session) : undefined;
  const progress = session.progress();
  try {
    return await withWorkFolder(async (workFolder) => {
      const context = localTaskContext({
        workFolder,
        signal: session.signal,
        progress,
        onEvent: (event) => {
          const line = trialLine(event);
          if (line !== undefined) progress.line(line);
        },
      });
      const imported = await importLocally(file, imports, context);
      for (const warning of imported.warnings) progress.line(`note: ${warning}`);
      const elapsedSeconds = (performance.now() - startedMs) / 1000;
      const trained = await train(
        {
          contentPath: imported.contentPath,
          recipe: recipe(options, elapsedSeconds),
          memoryBytes: (options.memory ?? defaultMemoryMiB) * mebibyte,
        },
        context,
      );
      const made = join(workFolder, trained.modelFileName);
      if (signer) await signFile(made, signer);
      const sizeBytes = await moveModel(made, options.out);
      const { rowCount } = imported;
      return {
        file: options.out,
        sizeBytes,
        rowCount,
        signer: signer?.publicKey ?? null,
        ...trained.result,
      };
    });
  } finally {
    progress.end();
  }
}

/** Prints what was learned, how well, and what to do next. */
export function showFit(result: FitResult): void {
  printProperties([
    ['task', `${result.task} (${result.taskReason})`],
    [result.metric, `${scoreInWords(result.score)} on rows that training never saw`],
    ['cross-validated', scoreInWords(result.crossValidationScore)],
    ['rows', rowsInWords(result.rows)],
    ['took', durationInWords(result.seconds)],
    ...result.warnings.map((warning) => ['warning', warning] as const),
    ...result.droppedColumns.map(({ column, reason }) => ['not used', `${column}: ${reason}`] as const),
  ]);
  if (result.evaluation.money) {
    print('');
    printMoney(result.evaluation.money);
  }
  print('');
  printTable(
    ['trial', result.metric, 'seconds', 'state'],
    result.leaderboard
      .slice(0, 10)
      .map(({ label, score, seconds, state }) => [
        label,
        score === null ? null : Number(scoreInWords(score)),
        Number(seconds.toFixed(1)),
        state,
      ]),
    '',
  );
  print('');
  printImportance(result.importance, 10);
  print('');
  const signed = result.signer === null ? 'not signed' : `signed with ${result.signer}`;
  print(`${result.file} (${bytesInWords(result.sizeBytes)}, ${signed})`);
  note(`Next: pilvi predict ${result.file} FILE`);
}

/** Reading the file counts into the time that was given. */
function recipe(options: FitOptions, elapsedSeconds: number): Recipe {
  const said = recipeOf(options);
  const seconds = Math.max(1, said.budget.seconds - elapsedSeconds);
  return { ...said, budget: { ...said.budget, seconds }, datasetVersionId: 'local', modelName: null };
}

/** Who signs what is made on this machine; nobody, with a word of it, where no key can be kept. */
async function ownSigner(session: Session): Promise<Signer | undefined> {
  const { PILVI_HOME: home } = await session.configuration();
  try {
    return await openSigner(home);
  } catch (error) {
    if (error instanceof Problem) throw error;
    note('The model will not be signed: no key can be kept in PILVI_HOME.');
    return undefined;
  }
}

async function moveModel(from: string, to: string): Promise<number> {
  try {
    await copyFile(from, to);
    return (await stat(to)).size;
  } catch (error) {
    throw fileProblem(error, to);
  }
}
