import { Command, CommanderError, Option } from 'commander';
import { z } from 'zod';
import { asReadable, messageOf, RlmError } from '../errors.ts';
import { sanitize } from '../text/index.ts';
import { findRoot, TOOLS, type Tool } from '../tools/index.ts';
import { VERSION } from '../version.ts';
import { commandName, commandOf } from './commands.ts';
import { attributeOf, type Field, fieldsOf, flagOf, inputOf, optionsOf } from './fields.ts';
import { openNamedRun, runTool } from './run-tool.ts';
import { endWithReader } from './streams.ts';

/** Usage and configuration errors; never 2, which means that some jobs failed. */
const EXIT_ERROR = 1;

/**
 * The operator's command line: one command a tool, made from its definition, and a few of its own.
 *
 * @param argv without node and script
 * @returns the exit code
 */
export async function runCommandLine(argv: string[]): Promise<number> {
  endWithReader();
  let exitCode = 0;
  const program = createProgram(argv[0], (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const readable = asReadable(error);
    if (!(error instanceof CommanderError)) process.stderr.write(describeError(readable));
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: errorData(readable) })}\n`);
    return readable instanceof RlmError ? readable.exitCode : EXIT_ERROR;
  }
}

/** An error as a program has it that asked for data. */
function errorData(error: unknown) {
  if (error instanceof RlmError) {
    const { code, hint, retryable, choices } = error;
    return {
      code,
      message: error.messageFor(flagOf),
      hint,
      retryable,
      ...(choices === undefined ? {} : { choices }),
    };
  }
  const code = error instanceof CommanderError ? 'usage' : 'internal';
  const { hint, retryable } = new RlmError(code, '');
  // Commander puts a label before its messages.
  const message = messageOf(error);
  return { code, message: message.startsWith('error: ') ? message.slice(7) : message, hint, retryable };
}

/** What happened, what to do, and a command that does it. */
function describeError(error: unknown): string {
  if (!(error instanceof RlmError)) return `${sanitize(`error: ${messageOf(error)}`)}\n`;
  const { text, action } = error.hint;
  const lines = [`error: ${error.messageFor(flagOf)}`, text];
  if (action !== undefined) lines.push(`  ${commandOf(action, {})}`);
  return `${sanitize(lines.join('\n'))}\n`;
}

/**
 * @param named the first word of the command line: when it names a tool's command, that one alone is made, for the
 *   options of all of them take longer than most commands
 */
function createProgram(named: string | undefined, setExitCode: (code: number) => void): Command {
  const program = new Command('rlm')
    .description(
      'Runs many small worker calls over inputs too big for one context: durably, in parallel, checked.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    // The flags and descriptions give choices and defaults already.
    .configureHelp({ optionDescription: ({ description }) => description })
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options)')
    .exitOverride();
  const only = TOOLS.find((tool) => commandName(tool) === named);
  if (only !== undefined) {
    addTool(program, only, setExitCode);
    return program;
  }
  program.commandsGroup('Work:');
  for (const tool of TOOLS.filter(({ startsWork }) => startsWork)) addTool(program, tool, setExitCode);
  program.commandsGroup('Runs:');
  for (const tool of TOOLS.filter(({ startsWork, name }) => !startsWork && name !== 'rlm_doctor'))
    addTool(program, tool, setExitCode);
  addRuns(program);
  addCitations(program, setExitCode);
  addApply(program);
  program.commandsGroup('Set up:').helpCommand('help [command]', 'print the help of a command');
  program
    .command('mcp')
    .summary('serve MCP on stdin and stdout')
    .description('Serves MCP on stdin and stdout, for clients such as Codex and Claude Code.')
    .option('--root <dir>', 'where .rlm/ lies (default: RLM_ROOT, else the working directory)');
  for (const tool of TOOLS.filter(({ name }) => name === 'rlm_doctor')) addTool(program, tool, setExitCode);
  addDemo(program, setExitCode);
  program.addHelpText(
    'after',
    `
Exit codes of work: 0 all jobs succeeded, 2 some, 3 none, 1 wrong usage or configuration,
75 paused for a quota; of a wait that is not over, 124.
Runs are in .rlm/runs under the root. A run goes on when this command or the terminal ends.`,
  );
  return program;
}

function addTool(program: Command, tool: Tool, setExitCode: (code: number) => void): void {
  const fields = fieldsOf(tool);
  const positional = tool.command?.positional ?? [];
  const command = program
    .command(commandName(tool))
    .summary(tool.title.charAt(0).toLowerCase() + tool.title.slice(1))
    .description(describe(tool));
  for (const name of positional) command.argument(argumentName(fields, name), argumentText(fields, name));
  for (const field of fields) for (const option of optionsOf(field)) command.addOption(option);
  const namesRun = 'run_id' in tool.input.shape && !('run_dir' in tool.input.shape);
  if (namesRun) command.option('--run-dir <dir>', 'the run by its directory, wherever that lies');
  if (tool.startsWork) command.option('--detach', 'return at once; the work goes on in the background');
  if (tool.name === 'rlm_status') command.option('--watch', 'follow the run until it ends');
  command
    .option('--root <dir>', 'where .rlm/ lies (default: RLM_ROOT, else the working directory)')
    .option('--json', 'print exactly the structured result');
  const examples = tool.command?.examples ?? [];
  if (examples.length > 0)
    command.addHelpText('after', ['\nExamples:', ...examples.map((line) => `  rlm ${line}`)].join('\n'));
  command.action(async () => {
    const options: Record<string, unknown> = command.opts();
    // A run that was named by an option leaves its place to what follows: `rlm search --run a "a question"`.
    const open = positional.filter(
      (name) =>
        options[attributeOf(flagOf(name))] === undefined &&
        !(name === 'run_id' && options.runDir !== undefined),
    );
    open.forEach((name, index) => {
      const value = isList(fields, name) ? command.args.slice(index) : command.args[index];
      const none = value === undefined || (Array.isArray(value) && value.length === 0);
      if (!none) options[attributeOf(flagOf(name))] = value;
    });
    const runDir = namesRun && typeof options.runDir === 'string' ? options.runDir : undefined;
    if (options.watch === true && runDir === undefined && options.runId === undefined)
      throw new RlmError('usage', '--watch needs a run');
    setExitCode(
      await runTool(tool, inputOf(fields, options), {
        root: findRoot(typeof options.root === 'string' ? options.root : undefined),
        runDir,
        json: options.json === true,
        follow: options.watch === true || (tool.startsWork === true && options.detach !== true),
      }),
    );
  });
}

/** `[run]`, and `[input...]` for a list, which takes all that follows. */
function argumentName(fields: readonly Field[], name: string): string {
  return `[${name.replace('run_id', 'run')}${isList(fields, name) ? '...' : ''}]`;
}

function isList(fields: readonly Field[], name: string): boolean {
  return fields.find(({ path }) => path[0] === name)?.schema.type === 'array';
}

function argumentText(fields: readonly Field[], name: string): string {
  if (name === 'run_id') return 'the run: its id, or its directory';
  return fields.find(({ path }) => path[0] === name)?.schema.description ?? '';
}

/** A description speaks to agents, who wait for work and know tools by their names. */
function describe(tool: Tool): string {
  const named = TOOLS.filter(({ name }) => name !== tool.name && tool.description.includes(name));
  return [
    tool.description,
    ...(tool.startsWork
      ? ['The command shows the work until it ends, and Ctrl-C cancels it; with --detach it returns at once.']
      : []),
    ...(named.length === 0
      ? []
      : [`As commands: ${named.map((other) => `${other.name} is rlm ${commandName(other)}`).join(', ')}.`]),
  ].join('\n\n');
}

/** `rlm cite` and `rlm check-answer`: an answer against its documents. */
function addCitations(program: Command, setExitCode: (code: number) => void): void {
  const command = program
    .command('cite')
    .summary('show the quotes of a citation in their surroundings')
    .description(
      'Shows the quotes of a citation in their surroundings; without a number, where each citation is.',
    )
    .argument('<run>', 'the run: its id, or its directory')
    .argument('[number]', 'the citation, as [n] in the answer')
    .option('--root <dir>', 'where .rlm/ lies (default: RLM_ROOT, else the working directory)')
    .option('--json', 'print data')
    .action(async (run: string, number: string | undefined) => {
      const { root, json } = CitationOptions.parse(command.opts());
      const wanted = z.coerce.number().int().positive().optional().safeParse(number);
      if (!wanted.success) throw new RlmError('usage', `citation '${number}' is no number`);
      const { cite } = await import('./citations.ts');
      setExitCode(await cite(findRoot(root), run, wanted.data, json === true));
    });
  const check = program
    .command('check-answer')
    .summary('check an answer again from its files, and say what has changed')
    .description(
      'Checks an answer again, from its files alone: whether each quote is still in its document, and what has changed. Exit codes: 0 nothing, 2 some quotes hold, 3 none.',
    )
    .argument('<file>', 'out/answer.json in the directory of a run')
    .option('--json', 'print data')
    .action(async (file: string) => {
      const { json } = CitationOptions.parse(check.opts());
      const { checkAnswer } = await import('./citations.ts');
      setExitCode(await checkAnswer(file, json === true));
    });
}

const CitationOptions = z.object({ root: z.string().optional(), json: z.boolean().optional() });

/** `rlm demo`: a batch over documentation that is on disk already. */
function addDemo(program: Command, setExitCode: (code: number) => void): void {
  const command = program
    .command('demo')
    .summary('answer a real question from installed documentation, without a model')
    .description(
      'Asks a question of the documentation of installed packages: a real question, answered without a model.',
    )
    .argument('[question]', 'another question')
    .addOption(
      new Option(
        '--worker <name>',
        'who answers: auto, codex, claude, extractive (default: extractive, which needs no model)',
      )
        .choices(['auto', 'codex', 'claude', 'extractive'])
        .default('extractive'),
    )
    .option('--root <dir>', 'where .rlm/ lies (default: RLM_ROOT, else the working directory)')
    .action(async (question: string | undefined) => {
      const { root, worker } = DemoOptions.parse(command.opts());
      const { runDemo } = await import('./demo.ts');
      setExitCode(await runDemo(findRoot(root), { question, worker }));
    });
}

const DemoOptions = z.object({
  root: z.string().optional(),
  worker: z.enum(['auto', 'codex', 'claude', 'extractive']),
});

/** `rlm apply`: the result of an isolated refine run, in the working tree. */
function addApply(program: Command): void {
  program
    .command('apply')
    .summary('apply the patch of an isolated refine run to the working tree')
    .description('Applies the patch of an isolated refine run to the working tree: whole, or not at all.')
    .argument('<run>', 'the run: its id, or its directory')
    .option('--root <dir>', 'where .rlm/ lies (default: RLM_ROOT, else the working directory)')
    .action(async (run: string, { root }: { root?: string }) => {
      const { applyRun } = await import('../refine/index.ts');
      const applied = await applyRun(openNamedRun(findRoot(root), run));
      process.stdout.write(`applied ${applied.patch}; the same is on branch ${applied.branch}\n`);
    });
}

/** `rlm runs`: what `rlm status` says without a run, as a command that is easy to find. */
function addRuns(program: Command): void {
  const status = TOOLS.find(({ name }) => name === 'rlm_status');
  if (status === undefined) return;
  const fields = fieldsOf(status).filter(({ path }) => path[0] !== 'run_id');
  const command = program
    .command('runs')
    .summary('list the runs, newest first')
    .description('Lists the runs, newest first.');
  for (const field of fields) for (const option of optionsOf(field)) command.addOption(option);
  command
    .option('--root <dir>', 'where .rlm/ lies (default: RLM_ROOT, else the working directory)')
    .option('--json', 'print exactly the structured result')
    .action(async () => {
      const options: Record<string, unknown> = command.opts();
      await runTool(status, inputOf(fields, options), {
        root: findRoot(typeof options.root === 'string' ? options.root : undefined),
        runDir: undefined,
        json: options.json === true,
        follow: false,
      });
    });
}
