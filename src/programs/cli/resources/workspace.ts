// `pilvi project`, `workspace`, `member`, `audit`: where work is done, by whom, and what was done.
import type { Command } from 'commander';
import type { role } from '../../../contract/session.ts';
import type { z } from 'zod';
import { listAll } from '../../../sdk/list-all.ts';
import type { AnswerFor } from '../../../sdk/types.ts';
import { act } from '../act.ts';
import { findProject, pick } from '../find.ts';
import type { Session } from '../session.ts';
import { printProperties, printTable } from '../table.ts';
import { note, print } from '../terminal.ts';
import { choice, wholeNumber } from '../values.ts';
import { timeInWords } from '../words.ts';

type Role = z.infer<typeof role>;
type Project = AnswerFor<'getProject'>;
type Workspace = AnswerFor<'getWorkspace'>;
type Member = AnswerFor<'updateMember'>;
type AuditLine = AnswerFor<'listAuditLines'>['items'][number];

/** What a member or key may do. */
export const roleNames: readonly Role[] = ['owner', 'editor', 'predictor', 'viewer'];

export function addProjectCommands(program: Command): void {
  const project = program.command('project').description('folders of work in the workspace');
  project.command('list').description('the projects you may see').action(act(listProjects, showProjects));
  project
    .command('create')
    .description('make a project')
    .argument('<name>')
    .option('--description <text>', 'what it is about', '')
    .action(act(createProject, showProject));
  project
    .command('show')
    .description('one project')
    .argument('<project>', 'name or id')
    .action(act(getProject, showProject));
  project
    .command('update')
    .description('rename or describe a project')
    .argument('<project>', 'name or id')
    .option('--name <name>', 'its new name')
    .option('--description <text>', 'what it is about')
    .action(act(updateProject, showProject));
}

export function addWorkspaceCommands(program: Command): void {
  const workspace = program
    .command('workspace')
    .description('the workspace: members, budget and keys of its own');
  workspace.command('show').description('the workspace you work in').action(act(getWorkspace, showWorkspace));
  workspace
    .command('list')
    .description('the workspaces you may enter')
    .action(act(listWorkspaces, showWorkspaces));
  workspace
    .command('create')
    .description('make another workspace; you become its owner')
    .argument('<name>')
    .action(act(createWorkspace, showWorkspace));
  workspace
    .command('rename')
    .description('rename the workspace')
    .argument('<name>')
    .action(act(renameWorkspace, showWorkspace));
}

export function addMemberCommands(program: Command): void {
  const member = program.command('member').description('who works in the workspace');
  member.command('list').description('the members').action(act(listMembers, showMembers));
  member
    .command('invite')
    .description('add a member; prints their one-time sign-in link')
    .argument('<name>')
    .addOption(choice('--role <role>', 'what they may do', roleNames).default('editor'))
    .action(act(inviteMember, showInvitation));
  member
    .command('role')
    .description("change a member's role")
    .argument('<member>', 'name or id')
    .argument('<role>', roleNames.join(', '))
    .action(act(changeRole, (changed) => print(`${changed.displayName} is ${changed.role}.`)));
  member
    .command('remove')
    .description('remove a member and end their sessions here')
    .argument('<member>', 'name or id')
    .action(act(removeMember, ({ name }) => print(`Removed "${name}".`)));
}

export function addAuditCommands(program: Command): void {
  const audit = program.command('audit').description('who did what, in a log that shows when it was changed');
  audit
    .command('list')
    .description('the newest lines')
    .option('--limit <number>', 'how many', wholeNumber(1, 200), 50)
    .action(act(listAudit, showAudit));
  audit
    .command('verify')
    .description('check the hash chain of the whole log')
    .action(act(verifyAudit, showVerification));
}

async function listProjects(session: Session): Promise<Project[]> {
  return Array.fromAsync(listAll((await session.client()).listProjects, {}));
}

async function createProject(
  session: Session,
  { description }: { description: string },
  name: string,
): Promise<Project> {
  return (await session.client()).createProject({ body: { name, description } });
}

async function getProject(session: Session, _options: object, reference: string): Promise<Project> {
  return findProject(await session.client(), reference);
}

async function updateProject(
  session: Session,
  { name, description }: { name?: string; description?: string },
  reference: string,
): Promise<Project> {
  const client = await session.client();
  const { id: projectId } = await findProject(client, reference);
  return client.updateProject({ projectId, body: { name, description } });
}

async function getWorkspace(session: Session): Promise<Workspace> {
  return (await session.client()).getWorkspace();
}

async function listWorkspaces(session: Session) {
  return (await (await session.client()).getSession()).workspaces;
}

async function createWorkspace(session: Session, _options: object, name: string): Promise<Workspace> {
  return (await session.client()).createWorkspace({ body: { name } });
}

async function renameWorkspace(session: Session, _options: object, name: string): Promise<Workspace> {
  return (await session.client()).updateWorkspace({ body: { name } });
}

async function listMembers(session: Session): Promise<Member[]> {
  return (await (await session.client()).listMembers()).items;
}

async function inviteMember(session: Session, { role }: { role: Role }, displayName: string) {
  return (await session.client()).inviteMember({ body: { displayName, role } });
}

async function changeRole(
  session: Session,
  _options: object,
  ...[reference, role]: [string, Role]
): Promise<Member> {
  const { userId } = await findMember(session, reference);
  return (await session.client()).updateMember({ userId, body: { role } });
}

async function removeMember(session: Session, _options: object, reference: string) {
  const { userId, displayName } = await findMember(session, reference);
  await (await session.client()).removeMember({ userId });
  return { removed: userId, name: displayName };
}

async function findMember(session: Session, reference: string): Promise<Member> {
  const members = await listMembers(session);
  return pick(
    'member',
    reference,
    members.map((member) => ({ ...member, id: member.userId, name: member.displayName })),
  );
}

async function listAudit(session: Session, { limit }: { limit: number }): Promise<AuditLine[]> {
  return (await (await session.client()).listAuditLines({ limit })).items;
}

async function verifyAudit(session: Session) {
  return (await session.client()).verifyAudit();
}

function showProjects(projects: Project[]): void {
  printTable(
    ['name', 'description', 'created', 'id'],
    projects.map(({ id, name, description, createdAt }) => [name, description, timeInWords(createdAt), id]),
    'No projects yet; "pilvi project create NAME" makes one.',
  );
}

function showProject({ id, name, description, createdAt }: Project): void {
  printProperties([
    ['project', name],
    ['id', id],
    ['description', description],
    ['created', timeInWords(createdAt)],
  ]);
}

function showWorkspace({ id, name, createdAt }: Workspace): void {
  printProperties([
    ['workspace', name],
    ['id', id],
    ['created', timeInWords(createdAt)],
  ]);
}

function showWorkspaces(workspaces: AnswerFor<'getSession'>['workspaces']): void {
  printTable(
    ['name', 'role', 'id'],
    workspaces.map(({ id, name, role }) => [name, role, id]),
    'None.',
  );
}

function showMembers(members: Member[]): void {
  printTable(
    ['name', 'role', 'joined', 'id'],
    members.map(({ userId, displayName, role, joinedAt }) => [
      displayName,
      role,
      timeInWords(joinedAt),
      userId,
    ]),
    'No members.',
  );
}

function showInvitation({ member, link }: AnswerFor<'inviteMember'>): void {
  note(
    `${member.displayName} (${member.role}) signs in with this link, once, before ${timeInWords(link.expiresAt)}:`,
  );
  print(link.url);
}

function showAudit(lines: AuditLine[]): void {
  printTable(
    ['number', 'time', 'who', 'action', 'what', 'details'],
    lines.map(({ sequence, at, actor, action, subjectId, details }) => [
      sequence,
      timeInWords(at),
      actor.id,
      action,
      subjectId,
      Object.keys(details).length > 0 ? JSON.stringify(details) : '',
    ]),
    'Nothing was done yet.',
  );
}

function showVerification({
  lineCount,
  intact,
  firstBrokenSequence,
  headHash,
}: AnswerFor<'verifyAudit'>): void {
  printProperties([
    ['lines', lineCount],
    ['intact', intact ? 'yes' : `no: line ${firstBrokenSequence} does not follow from the line before`],
    ['head', headHash],
  ]);
}
