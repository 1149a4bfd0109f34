// `pilvi model`: the registry of a server. Model files on this machine need none: predict, explain.
import type { Command } from 'commander';
import { tasks } from '../../../contract/evaluation.ts';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor, InputFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { download } from '../download.ts';
import { UsageError } from '../failure.ts';
import { fileNameFor, openFile } from '../files.ts';
import { findModel, findModelVersion } from '../find.ts';
import { printImportance } from '../importance.ts';
import type { Session } from '../session.ts';
import { sendFile } from '../send-file.ts';
import { printProperties, printTable } from '../table.ts';
import { print } from '../terminal.ts';
import { addTrustOption, trustOf, type TrustOption } from '../trust-option.ts';
import { choice, nameList } from '../values.ts';
import { bytesInWords, scoreInWords, timeInWords } from '../words.ts';
import type { VerifyOptions } from '../local/verify.ts';
import { addExplanationCommands } from './explanation.ts';
import { addSigningCommands } from './signing.ts';

type Model = AnswerFor<'getModel'>;
type Version = AnswerFor<'getModelVersion'>;
type VersionSummary = AnswerFor<'listModelVersions'>['items'][number];

export function addModelCommands(program: Command): void {
  const model = program.command('model').description('models and their versions');
  model.command('list').description('the models of the project').action(act(listModels, showModels));
  model
    .command('show')
    .description('one version: score, importance, inputs')
    .argument('<model>', 'NAME, NAME@VERSION, NAME@ALIAS or an id')
    .action(act(getVersion, showVersion));
  model
    .command('versions')
    .description('the versions of a model, newest first')
    .argument('<model>', 'name or id')
    .action(act(listVersions, showVersions));
  model
    .command('download')
    .description('a version as a model file, for predictions without a server')
    .argument('<model>', 'NAME, NAME@VERSION, NAME@ALIAS or an id')
    .option('--out <file>', 'where to write it; left out, NAME-VERSION.pilvi, or .onnx of one imported so')
    .action(act(downloadModel, ({ file, sizeBytes }) => print(`${file} (${bytesInWords(sizeBytes)})`)));
  const verify = model
    .command('verify')
    .description('check a model file, and say who signed it; fails when it was changed or is not trusted')
    .argument('<file>', 'a .pilvi file (no server needed)');
  addTrustOption(verify)
    .option('--trust-server', 'the keys of the server may have signed it')
    .action(
      act(
        async (session, options: VerifyOptions, file: string) =>
          (await import('../local/verify.ts')).verifyFile(session, options, file),
        async (result) => (await import('../local/verify.ts')).showVerification(result),
      ),
    );
  addSigningCommands(model);
  const importing = model
    .command('import')
    .description('register a model file, or an ONNX file made elsewhere, as a new version of a model')
    .argument('<file>', 'a .pilvi or an .onnx file')
    .requiredOption('--name <model>', 'the model that gets the version; made when it is missing')
    .addOption(choice('--task <task>', 'of an .onnx file that does not show it', tasks))
    .option('--target <name>', 'what an .onnx file predicts; left out, the name of its output')
    .option(
      '--classes <names>',
      'of an .onnx file that does not name them: in the order of its scores',
      nameList,
    )
    .option('--columns <names>', 'of an .onnx file: in the order in which it takes them', nameList);
  addTrustOption(importing).action(act(importModel, showVersion));
  model
    .command('alias')
    .description('point an alias at a version, or remove it')
    .argument('<model>', 'name or id')
    .argument('<alias>', 'such as champion')
    .argument('[version]', 'the number of the version')
    .option('--remove', 'remove the alias')
    .action(act(setAlias, showAliases));
  addExplanationCommands(model);
}

async function listModels(session: Session): Promise<Model[]> {
  const client = await session.client();
  return Array.fromAsync(listAll(client.listModels, { projectId: await session.projectId() }));
}

async function getVersion(session: Session, _options: object, reference: string): Promise<Version> {
  return findModelVersion(await session.client(), await session.projectId(), reference);
}

async function listVersions(
  session: Session,
  _options: object,
  reference: string,
): Promise<VersionSummary[]> {
  const client = await session.client();
  const { id: modelId } = await findModel(client, await session.projectId(), reference);
  return Array.fromAsync(listAll(client.listModelVersions, { modelId }));
}

async function downloadModel(session: Session, { out }: { out?: string }, reference: string) {
  const version = await getVersion(session, {}, reference);
  const client = await session.client();
  const { format } = version;
  const file = await client.downloadModelFile({ versionId: version.id, format }, { signal: session.signal });
  return download(session, file, out ?? `${fileNameFor(version.modelName)}-${version.number}.${format}`);
}

type ForeignOptions = Omit<InputFor<'importOnnxModel'>['body'], 'uploadId' | 'modelName'>;

async function importModel(
  session: Session,
  {
    name: modelName,
    task,
    target,
    classes,
    columns,
    ...trust
  }: { name: string } & ForeignOptions & TrustOption,
  file: string,
): Promise<Version> {
  const client = await session.client();
  const options = { signal: session.signal, timeoutMs: 600_000 };
  if (/\.onnx$/i.test(file)) {
    if (trust.trust)
      throw new UsageError('--trust is for model files that end in .pilvi; ONNX has no signatures');
    const projectId = await session.projectId();
    const uploadId = await sendFile(session, projectId, file);
    const body = { uploadId, modelName, task, target, classes, columns };
    return client.importOnnxModel({ projectId, body }, options);
  }
  if (task ?? target ?? classes ?? columns)
    throw new UsageError('--task, --target, --classes and --columns are for files that end in .onnx');
  if (trust.trust) await (await import('../local/model-file.ts')).readModelFile(file, trustOf(trust));
  const stream = await openFile(file);
  return client.importModelFile({ projectId: await session.projectId(), modelName, stream }, options);
}

async function setAlias(
  session: Session,
  { remove }: { remove?: boolean },
  ...[reference, alias, version]: [string, string, string?]
): Promise<Model> {
  if ((version === undefined) !== (remove === true)) {
    throw new UsageError('name a version for the alias, or --remove it');
  }
  const client = await session.client();
  const { id: modelId } = await findModel(client, await session.projectId(), reference);
  if (version === undefined) {
    await client.removeModelAlias({ modelId, alias });
    return client.getModel({ modelId });
  }
  const versionNumber = Number(version.replace(/^v/, ''));
  if (!Number.isInteger(versionNumber)) throw new UsageError(`"${version}" is not the number of a version`);
  return client.setModelAlias({ modelId, alias, body: { versionNumber } });
}

function showModels(models: Model[]): void {
  printTable(
    ['name', 'version', 'task', 'target', 'metric', 'score', 'aliases', 'created', 'id'],
    models.map(({ id, name, createdAt, latestVersion: latest, aliases }) => [
      name,
      latest?.number,
      latest?.task,
      latest?.target,
      latest?.metric,
      latest?.score === null || latest?.score === undefined ? null : Number(scoreInWords(latest.score)),
      aliases.map(({ alias, versionNumber }) => `${alias}=${versionNumber}`).join(' '),
      timeInWords(createdAt),
      id,
    ]),
    'No models yet; a training makes one, and "pilvi model import FILE" registers one.',
  );
}

function showVersions(versions: VersionSummary[]): void {
  printTable(
    ['version', 'metric', 'score', 'size', 'aliases', 'created', 'id'],
    versions.map((version) => [
      version.number,
      version.metric,
      version.score === null ? null : Number(scoreInWords(version.score)),
      bytesInWords(version.fileSizeBytes),
      version.aliases.join(', '),
      timeInWords(version.createdAt),
      version.id,
    ]),
    'No versions yet.',
  );
}

function showVersion(version: Version): void {
  printProperties([
    ['model', version.modelName],
    ['version', `${version.number} (${version.id})`],
    ['aliases', version.aliases.join(', ')],
    ['task', version.task],
    ['target', version.target],
    ['classes', version.classes?.join(', ')],
    [version.metric, scoreInWords(version.score)],
    ['file', `${bytesInWords(version.fileSizeBytes)}, SHA-256 ${version.fileSha256}`],
    ['signed with', signerInWords(version.signature)],
    [
      'learned from',
      version.lineage && `${version.lineage.datasetName}@${version.lineage.datasetVersionNumber}`,
    ],
    ['made by', version.onnx && `${version.onnx.producer || 'an unknown program'}, as ONNX`],
    ['created', timeInWords(version.createdAt)],
  ]);
  print('');
  printImportance(version.importance);
}

function signerInWords(signature: Version['signature']): string {
  if (!signature) return 'nothing';
  const { publicKey, by, withdrawnAt } = signature;
  const whose = by === 'this-installation' ? 'a key of this installation' : 'a key not known here';
  const state = withdrawnAt === null ? '' : `, withdrawn ${timeInWords(withdrawnAt)}: it is not used`;
  return `${publicKey} (${whose}${state})`;
}

function showAliases({ name, aliases }: Model): void {
  printTable(
    ['alias', 'version'],
    aliases.map(({ alias, versionNumber }) => [alias, versionNumber]),
    `"${name}" has no alias.`,
  );
}
