// `pilvi training`: start, watch and look at trainings on a server.
import type { Command } from 'commander';
import { Problem } from '../../../base/problems.ts';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { findDatasetVersion } from '../find.ts';
import { followJob } from '../jobs.ts';
import { printMoney } from '../money.ts';
import { addPriceOption, addRecipeOptions, recipeOf, type RecipeOptions } from '../recipe-options.ts';
import type { Session } from '../session.ts';
import { rowsInWords } from '../rows-in-words.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { trialLine } from '../trial-line.ts';
import { countInWords, durationInWords, scoreInWords, timeInWords, usdInWords } from '../words.ts';

type Training = AnswerFor<'getTraining'>;
type TrainingSummary = AnswerFor<'listTrainings'>['items'][number];
type Plan = AnswerFor<'planTraining'>;

interface StartOptions extends RecipeOptions {
  dataset: string;
  model?: string;
  watch?: boolean;
}

export function addTrainingCommands(program: Command): void {
  const training = program.command('training').description('trainings: one execution of a recipe');
  recipeCommand(training, 'start', 'start a training')
    .option('--model <name>', 'the model that gets the new version; made when it is missing')
    .option('--watch', 'show its progress and wait for its end; Ctrl-C cancels it')
    .action(act(startTraining, showTraining));
  recipeCommand(training, 'plan', 'what a recipe would do and could cost, without starting it').action(
    act(planTraining, showPlan),
  );
  training
    .command('list')
    .description('the trainings of the project, newest first')
    .action(act(listTrainings, showTrainings));
  training
    .command('show')
    .description('one training: score, leaderboard, importance')
    .argument('<training>', 'an id, or "latest"')
    .action(act(getTraining, showTraining));
  training
    .command('watch')
    .description('follow a training to its end; Ctrl-C stops looking, not the training')
    .argument('<training>', 'an id, or "latest"')
    .action(act(watchTraining, showTraining));
  training
    .command('cancel')
    .description('ask a training to end')
    .argument('<training>', 'an id, or "latest"')
    .action(act(cancelTraining, ({ id, state }: Training) => print(`${id} is ${state}.`)));
  training
    .command('learners')
    .description('the learners and metrics that a training can use')
    .action(act(listLearners, showLearners));
}

function recipeCommand(parent: Command, name: string, description: string): Command {
  const command = parent
    .command(name)
    .description(description)
    .requiredOption('--dataset <dataset>', 'NAME, NAME@VERSION or an id');
  return addPriceOption(addRecipeOptions(command));
}

async function startTraining(session: Session, options: StartOptions): Promise<Training> {
  const client = await session.client();
  const projectId = await session.projectId();
  const body = { ...(await recipe(session, options)), modelName: options.model ?? null };
  const training = await client.createTraining({ projectId, body });
  if (!options.watch) return training;
  await followJob(session, training.jobId, { cancelWhenInterrupted: true, lineOf: trialLine });
  return client.getTraining({ trainingId: training.id });
}

async function planTraining(session: Session, options: StartOptions): Promise<Plan> {
  const client = await session.client();
  return client.planTraining({ projectId: await session.projectId(), body: await recipe(session, options) });
}

async function recipe(session: Session, options: StartOptions) {
  const version = await findDatasetVersion(
    await session.client(),
    await session.projectId(),
    options.dataset,
  );
  return { ...recipeOf(options), datasetVersionId: version.id };
}

async function listTrainings(session: Session): Promise<TrainingSummary[]> {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listTrainings, { projectId: await session.projectId() }));
}

async function getTraining(session: Session, _options: object, reference: string): Promise<Training> {
  const client = await session.client();
  if (reference !== 'latest') return client.getTraining({ trainingId: reference });
  const { items } = await client.listTrainings({ projectId: await session.projectId(), limit: 1 });
  if (items[0]) return client.getTraining({ trainingId: items[0].id });
  throw new Problem('not-found', 'The project has no training yet.');
}

async function watchTraining(session: Session, _options: object, reference: string): Promise<Training> {
  const training = await getTraining(session, {}, reference);
  await followJob(session, training.jobId, { cancelWhenInterrupted: false, lineOf: trialLine });
  return (await session.client()).getTraining({ trainingId: training.id });
}

async function cancelTraining(session: Session, _options: object, reference: string): Promise<Training> {
  const training = await getTraining(session, {}, reference);
  return (await session.client()).cancelTraining({ trainingId: training.id });
}

async function listLearners(session: Session) {
  return (await session.client()).listLearners();
}

function showTrainings(trainings: TrainingSummary[]): void {
  printTable(
    ['id', 'dataset', 'target', 'state', 'task', 'metric', 'score', 'cost', 'created'],
    trainings.map((training) => [
      training.id,
      training.datasetName,
      training.recipe.target,
      training.state,
      training.task,
      training.metric,
      training.score === null ? null : Number(scoreInWords(training.score)),
      usdInWords(training.chargedMicroUsd),
      timeInWords(training.createdAt),
    ]),
    'No trainings yet; "pilvi training start" starts one.',
  );
}

function showTraining(training: Training): void {
  printProperties([
    ['training', training.id],
    ['state', training.state],
    ['dataset', training.datasetName],
    ['target', training.recipe.target],
    ['task', training.task && `${training.task}${training.taskReason ? ` (${training.taskReason})` : ''}`],
    [training.metric ?? 'score', scoreInWords(training.score)],
    ['rows', training.rows && rowsInWords(training.rows)],
    ['model version', training.modelVersionId],
    ['reserved', training.chargedMicroUsd === null ? usdInWords(training.reservedMicroUsd) : null],
    ['cost', usdInWords(training.chargedMicroUsd)],
    ['problem', training.problem?.detail],
    ['what to do', training.problem?.remedy],
    ...training.warnings.map((warning) => ['warning', warning] as const),
    ...training.droppedColumns.map(({ column, reason }) => ['not used', `${column}: ${reason}`] as const),
  ]);
  if (training.evaluation?.money) {
    print('');
    printMoney(training.evaluation.money);
  }
  if (training.leaderboard.length > 0) {
    print('');
    printTable(
      ['trial', training.metric ?? 'score', 'seconds', 'state', 'problem'],
      training.leaderboard
        .slice(0, 15)
        .map(({ label, score, seconds, state, problem }) => [
          label,
          score === null ? null : Number(scoreInWords(score)),
          Number(seconds.toFixed(1)),
          state,
          problem,
        ]),
      '',
    );
  }
}

function showPlan(plan: Plan): void {
  printProperties([
    ['task', `${plan.task} (${plan.taskReason})`],
    ['metric', `${plan.metric}: ${plan.metricMeaning}`],
    ['rows', countInWords(plan.rowCount)],
    ['features', countInWords(plan.featureCount)],
    ['classes', plan.classes?.map(({ name, count }) => `${name} (${count})`).join(', ')],
    ['takes about', durationInWords(plan.estimatedSeconds)],
    ['costs at most', usdInWords(plan.maximumMicroUsd)],
    ...plan.warnings.map((warning) => ['warning', warning] as const),
  ]);
}

function showLearners({ learners, metrics }: AnswerFor<'listLearners'>): void {
  printTable(
    ['learner', 'tasks', 'what it is'],
    learners.map(({ name, tasks, plainWords }) => [name, tasks.join(', '), plainWords]),
    '',
  );
  print('');
  printTable(
    ['metric', 'tasks', 'what it says'],
    metrics.map(({ name, tasks, plainWords }) => [name, tasks.join(', '), plainWords]),
    '',
  );
}
