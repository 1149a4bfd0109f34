// The tree of commands: declarations only, each with the work it stands for loaded when it runs. Completion, the
// reference in docs/cli.md and the messages about misspelt words are read off this tree.
import { Argument, Command } from 'commander';
import { act } from './act.ts';
import { completionScript, shells, type Shell } from './completion.ts';
import { addLocalCommands } from './local/local.ts';
import { addBatchCommands } from './resources/batch.ts';
import { addBudgetCommands } from './resources/budget.ts';
import { addComparisonCommands } from './resources/comparison.ts';
import { addDatasetCommands } from './resources/dataset.ts';
import { addEndpointCommands } from './resources/endpoint.ts';
import { addJobCommands } from './resources/job.ts';
import { addKeyCommands } from './resources/key.ts';
import { addMonitorCommands } from './resources/monitor.ts';
import { addReleaseCommands } from './resources/release.ts';
import { addModelCommands } from './resources/model.ts';
import { addPredictionCommands } from './resources/prediction.ts';
import { addServerCommands } from './resources/server.ts';
import { addTrainingCommands } from './resources/training.ts';
import { addUpdateCommands } from './resources/update.ts';
import {
  addAuditCommands,
  addMemberCommands,
  addProjectCommands,
  addWorkspaceCommands,
} from './resources/workspace.ts';
import { print } from './terminal.ts';
import { addUpCommand } from './up.ts';
import { addWorkerCommand } from './worker.ts';
import { version } from '../version.ts';

/** A fresh tree; parsing changes it, so each run has its own. */
export function buildProgram(): Command {
  const program = new Command('pilvi')
    .description('A machine-learning cloud in one process.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .option('--json', 'answer with one JSON document on stdout')
    .option('--url <address>', 'the server; left out, PILVI_URL')
    .option('--project <project>', 'the project, by name or id; left out, PILVI_PROJECT or the only one')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Run it with --help to see what it takes.')
    .exitOverride();
  program.commandsGroup('On this machine:');
  addUpCommand(program);
  addWorkerCommand(program);
  addLocalCommands(program);
  program.commandsGroup('On a server:');
  addDatasetCommands(program);
  addTrainingCommands(program);
  addModelCommands(program);
  addEndpointCommands(program);
  addMonitorCommands(program);
  addReleaseCommands(program);
  addComparisonCommands(program);
  addUpdateCommands(program);
  addPredictionCommands(program);
  addBatchCommands(program);
  addJobCommands(program);
  addProjectCommands(program);
  addWorkspaceCommands(program);
  addMemberCommands(program);
  addKeyCommands(program);
  addBudgetCommands(program);
  addAuditCommands(program);
  addServerCommands(program);
  program.commandsGroup('More:');
  addCompletionCommand(program);
  forEachCommand(program, (command) => command.helpCommand(false));
  return program;
}

function addCompletionCommand(program: Command): void {
  const script = async (_session: object, _options: object, shell: Shell) => ({
    shell,
    script: completionScript(program, shell),
  });
  program
    .command('completion')
    .description('print a script that completes commands and options in your shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .action(act(script, (result) => print(result.script.trimEnd())));
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}
