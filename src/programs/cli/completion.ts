// `pilvi completion bash|zsh|fish`: scripts that complete commands, options, choices and file names. They are written
// from the tree of commands, so they need no program to run at each press of Tab and cannot fall behind.
import type { Command, Option } from 'commander';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The completion script of a shell for the commands below `program`. */
export function completionScript(program: Command, shell: Shell): string {
  const nodes = nodesOf(program, '');
  switch (shell) {
    case 'bash':
      return bashScript(nodes);
    case 'zsh':
      return zshScript(nodes);
    case 'fish':
      return fishScript(nodes);
    default:
      return shell satisfies never;
  }
}

/** One command with what may follow it. */
interface Node {
  /** Names below the program, such as `dataset list`; empty for the program itself. */
  path: string;
  commands: readonly Word[];
  options: readonly (Word & { takesValue: boolean; choices: readonly string[] })[];
  /** Choices of its first argument, such as the shells of `completion`. */
  argumentChoices: readonly string[];
}

interface Word {
  name: string;
  description: string;
}

function nodesOf(command: Command, path: string): Node[] {
  const options = [...command.options, ...globalOptions(command)].filter((option) => !option.hidden);
  const node: Node = {
    path,
    commands: command.commands.map((child) => ({ name: child.name(), description: child.description() })),
    options: [
      ...options.map((option) => ({
        name: option.long ?? option.short ?? '',
        description: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
      { name: '--help', description: 'explain the command', takesValue: false, choices: [] },
    ],
    argumentChoices: command.registeredArguments[0]?.argChoices ?? [],
  };
  const children = command.commands.flatMap((child) => nodesOf(child, `${path} ${child.name()}`.trim()));
  return [node, ...children];
}

function globalOptions(command: Command): readonly Option[] {
  return command.parent
    ? [...command.parent.options.filter(({ long }) => long !== '--version'), ...globalOptions(command.parent)]
    : [];
}

function bashScript(nodes: readonly Node[]): string {
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  const words = nodes.map(({ path, commands, options, argumentChoices }) => {
    const names = [...commands.map(({ name }) => name), ...argumentChoices].join(' ');
    return `    '${path}') words='${names}' options='${options.map(({ name }) => name).join(' ')}' ;;`;
  });
  return `# bash completion for pilvi. Load it with:  source <(pilvi completion bash)
_pilvi() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' options='' index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${path:+$path }\${COMP_WORDS[index]}" in
${bashCases(paths)}) path="\${path:+$path }\${COMP_WORDS[index]}" ;;
    esac
  done
  case "$path $previous" in
${choiceCases(nodes, (choices) => `COMPREPLY=($(compgen -W '${choices}' -- "$current")); return`)}
${valueCases(nodes, 'return')}
  esac
  case "$path" in
${words.join('\n')}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o default -F _pilvi pilvi
`;
}

function zshScript(nodes: readonly Node[]): string {
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  const quoted = ({ name, description }: Word): string =>
    `'${name}:${description.replaceAll("'", '').replaceAll(':', '\\:')}'`;
  const cases = nodes.map(({ path, commands, options, argumentChoices }) => {
    const words = [...commands.map(quoted), ...argumentChoices.map((name) => `'${name}'`)].join(' ');
    return `    '${path}') words_here=(${words}); options_here=(${options.map(quoted).join(' ')}) ;;`;
  });
  return `#compdef pilvi
# zsh completion for pilvi. Load it with:  source <(pilvi completion zsh)
_pilvi() {
  local here='' previous=\${words[CURRENT-1]} index
  local -a words_here options_here
  for ((index = 2; index < CURRENT; index++)); do
    case "\${here:+$here }\${words[index]}" in
${bashCases(paths)}) here="\${here:+$here }\${words[index]}" ;;
    esac
  done
  case "$here $previous" in
${choiceCases(nodes, (choices) => `compadd -- ${choices}; return`)}
${valueCases(nodes, '_files; return')}
  esac
  case "$here" in
${cases.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe option options_here
  elif (( \${#words_here} )); then
    _describe command words_here
  else
    _files
  fi
}
compdef _pilvi pilvi
`;
}

function fishScript(nodes: readonly Node[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = nodes.flatMap(({ path, commands, options, argumentChoices }) => {
    const at = `complete -c pilvi -n "__pilvi_at '${path}'"`;
    return [
      ...commands.map(({ name, description }) => `${at} -f -a ${name} -d ${quoted(description)}`),
      ...argumentChoices.map((name) => `${at} -f -a ${name}`),
      ...options.map(({ name, description, takesValue, choices }) => {
        const values = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : takesValue ? ' -r' : '';
        return `${at} -l ${name.replace(/^--/, '')} -d ${quoted(description)}${values}`;
      }),
    ];
  });
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  return `# fish completion for pilvi. Load it with:  pilvi completion fish | source
function __pilvi_at
    set -l here ''
    for word in (commandline -opc)[2..]
        set -l next (string trim -- "$here $word")
        if contains -- "$next" ${paths.join(' ')}
            set here $next
        end
    end
    test "$here" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function bashCases(patterns: readonly string[]): string {
  return patterns.map((pattern) => `      ${pattern}`).join(' | \\\n');
}

/** Cases "after this option come these words", where the option has choices. */
function choiceCases(nodes: readonly Node[], complete: (choices: string) => string): string {
  return nodes
    .flatMap(({ path, options }) =>
      options
        .filter(({ choices }) => choices.length > 0)
        .map(({ name, choices }) => `    '${path} ${name}') ${complete(choices.join(' '))} ;;`),
    )
    .join('\n');
}

/** The case of all options that take some other value: a file name, most often. */
function valueCases(nodes: readonly Node[], complete: string): string {
  const names = nodes.flatMap(({ options }) =>
    options.flatMap(({ name, takesValue }) => (takesValue ? [name] : [])),
  );
  return `    ${[...new Set(names)].map((name) => `*' ${name}'`).join(' | ')}) ${complete} ;;`;
}
