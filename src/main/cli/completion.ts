/** The supported shells. */
export const shells = ['bash', 'zsh', 'fish'] as const;

interface CompletedOption {
  readonly name: string;
  readonly help: string;
  readonly takesValue: boolean;
  /** The possible values; empty: a file or a folder, or something that cannot be completed, such as a number. */
  readonly values: readonly string[];
  readonly takesFile: boolean;
}

/** What can be completed. */
export interface Completions {
  readonly commands: readonly {
    readonly name: string;
    readonly help: string;
    /** Names that its operand can be; empty: files. */
    readonly operands: readonly string[];
    readonly options: readonly CompletedOption[];
  }[];
  /** The default command. */
  readonly usual: string;
}

/** The completion script of one of the shells. @throws Error for another name */
export function renderCompletion(shell: string, completions: Completions): string {
  switch (shell) {
    case 'bash':
      return renderBash(completions);
    case 'zsh':
      return renderZsh(completions);
    case 'fish':
      return renderFish(completions);
    default:
      throw new Error(`expected ${shells.join(', ')}, found ${shell}`);
  }
}

/** Every option once, by its name. */
function optionsOf({ commands }: Completions): CompletedOption[] {
  const all = commands.flatMap(({ options }) => options);
  return [...new Map(all.map(option => [option.name, option])).values()];
}

/** Branches of a `case` in the language of bash and zsh: by the option before the word, then by the command. */
function branches(completions: Completions) {
  const valued = optionsOf(completions).filter(({ takesValue }) => takesValue);
  const named = valued.filter(({ values }) => values.length > 0);
  const pattern = (some: readonly CompletedOption[]) => some.map(({ name }) => `--${name}`).join('|');
  const free = valued.filter(({ values }) => values.length === 0);
  return {
    values: named.map(({ name, values }) => `    --${name}) values="${values.join(' ')}" ;;`),
    files: `    ${pattern(free.filter(({ takesFile }) => takesFile))}) files=1 ;;`,
    others: `    ${pattern(free.filter(({ takesFile }) => !takesFile))}) return ;;`,
    commands: completions.commands.map(
      ({ name, operands, options }) =>
        `    ${name}) options="${options.map(({ name }) => `--${name}`).join(' ')}"; operands="${operands.join(' ')}" ;;`,
    ),
    names: completions.commands.map(({ name }) => name).join(' '),
  };
}

function renderBash(completions: Completions): string {
  const { values, files, others, commands, names } = branches(completions);
  return `# bash completion for poolbench. To load it: source <(poolbench completion bash)
_poolbench() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" values="" files="" options="" operands=""
  local command="${completions.usual}" first="\${COMP_WORDS[1]}"
  COMPREPLY=()
  # bash splits --option=value at its =.
  [ "$word" = "=" ] && word=""
  [ "$before" = "=" ] && before="\${COMP_WORDS[COMP_CWORD-2]}"
  case " ${names} " in *" $first "*) [ "$COMP_CWORD" -gt 1 ] && command="$first" ;; esac
  case "$before" in
${values.join('\n')}
${files}
${others}
  esac
  case "$command" in
${commands.join('\n')}
  esac
  if [ -n "$values" ]; then COMPREPLY=($(compgen -W "$values" -- "$word"))
  elif [ -n "$files" ]; then COMPREPLY=($(compgen -f -- "$word"))
  elif [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "$options --help --version" -- "$word"))
  elif [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names}" -- "$word") $(compgen -f -- "$word"))
  elif [ -n "$operands" ]; then COMPREPLY=($(compgen -W "$operands" -- "$word"))
  else COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _poolbench poolbench
`;
}

function renderZsh(completions: Completions): string {
  const { values, files, others, commands, names } = branches(completions);
  return `#compdef poolbench
# zsh completion for poolbench. To load it: source <(poolbench completion zsh), after compinit
_poolbench() {
  local before="\${words[CURRENT-1]}" first="\${words[2]}" command="${completions.usual}" values="" files="" options="" operands=""
  case " ${names} " in *" $first "*) (( CURRENT > 2 )) && command="$first" ;; esac
  case "$before" in
${values.join('\n')}
${files}
${others}
  esac
  case "$command" in
${commands.join('\n')}
  esac
  if [[ -n "$values" ]]; then compadd -- \${=values}
  elif [[ -n "$files" ]]; then _files
  elif [[ "\${words[CURRENT]}" == -* ]]; then compadd -- \${=options} --help --version
  elif (( CURRENT == 2 )); then compadd -- ${names}; _files
  elif [[ -n "$operands" ]]; then compadd -- \${=operands}
  else _files
  fi
}
compdef _poolbench poolbench
`;
}

function renderFish(completions: Completions): string {
  const { commands, usual } = completions;
  const names = commands.map(({ name }) => name);
  const seen = (command: string) =>
    command === usual
      ? `not __fish_seen_subcommand_from ${names.filter(name => name !== usual).join(' ')}`
      : `__fish_seen_subcommand_from ${command}`;
  const lines = commands.flatMap(({ name, help, operands, options }) => [
    `complete -c poolbench -n __fish_is_first_token -a ${name} -d ${fishQuoted(help)}`,
    ...(operands.length === 0
      ? []
      : [`complete -c poolbench -n ${fishQuoted(seen(name))} -f -a ${fishQuoted(operands.join(' '))}`]),
    ...options.map(option => {
      const value = option.takesFile ? ' -r' : option.takesValue ? ' -x' : '';
      const among = option.values.length > 0 ? ` -f -a ${fishQuoted(option.values.join(' '))}` : '';
      return `complete -c poolbench -n ${fishQuoted(seen(name))} -l ${option.name}${value}${among} -d ${fishQuoted(option.help)}`;
    }),
  ]);
  return `# fish completion for poolbench. To load it: poolbench completion fish | source\n${lines.join('\n')}\n`;
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
