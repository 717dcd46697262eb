import { existsSync } from 'node:fs';
import { readStatus } from '../activities/index.ts';
import { RUN_ID_PATTERN } from '../contracts/index.ts';
import { DoctorReport } from '../doctor/index.ts';
import { RlmError } from '../errors.ts';
import { RunReport, reportResult, reportRun } from '../resources/index.ts';
import { openRun, openRunDirectory, type RunHandle } from '../runs/index.ts';
import { sanitize } from '../text/index.ts';
import { callTool, createContext, type Tool, type ToolContext } from '../tools/index.ts';
import { closingLines, exitCodeOf } from './closing.ts';
import { flagOf } from './fields.ts';
import { doctorText, formatResult } from './format.ts';

/** What a shell says of a command that Ctrl-C ended. */
const EXIT_INTERRUPTED = 130;
/** What `timeout` says when the time is up: the run that was waited for goes on. */
const EXIT_WORKING = 124;

/**
 * Calls a tool for a person: prints its result, and for work that was started follows it to its end.
 *
 * @param call.runDir the run by its directory (`--run-dir`), for a tool that knows runs by id
 * @param call.follow show the run's progress on stderr until it ends
 * @returns the exit code: 0, or how the followed run ended
 */
export async function runTool(
  tool: Tool,
  input: Record<string, unknown>,
  call: { root: string; runDir: string | undefined; json: boolean; follow: boolean },
): Promise<number> {
  const abort = new AbortController();
  const onInterrupt = () => abort.abort();
  process.once('SIGINT', onInterrupt);
  let named: RunHandle | undefined;
  if (call.runDir !== undefined) named = openRunDirectory(call.runDir);
  else if (typeof input.run_id === 'string' && isDirectory(input.run_id))
    named = openRunDirectory(input.run_id);
  const find = (runId: string) => (named?.id === runId ? named : openRun(call.root, runId));
  const context = createContext({
    root: call.root,
    cwd: process.cwd(),
    caller: 'cli',
    signal: abort.signal,
    progress: () => {},
    openRun: find,
  });
  // What is followed is not waited for in silence first.
  const { wait_sec: _wait, ...followed } = input;
  const options = call.follow ? followed : input;
  const given = named === undefined ? options : { ...options, run_id: named.id };
  const result = await callAsking(tool, given, context);
  process.off('SIGINT', onInterrupt);
  const run = runOf(result);
  // What started nothing says why instead.
  const startedNothing = Array.isArray(result.started) && result.started.length === 0;
  if (run === undefined || !call.follow || startedNothing) {
    const examined = DoctorReport.safeParse(result).data;
    const place = { run, root: call.root };
    const text = () =>
      examined === undefined
        ? resultText(tool, result, place)
        : doctorText(examined, process.stdout.columns || 100);
    process.stdout.write(call.json ? `${JSON.stringify(result)}\n` : await text());
    if (abort.signal.aborted) return EXIT_INTERRUPTED;
    if (tool.name === 'rlm_wait') return waitedCode(RunReport.parse(result), input.until === 'change');
    return examined?.healthy === false ? 1 : 0;
  }
  const { followRun } = await import('./follow.ts');
  const ending = await followRun(run, { started: tool.startsWork === true });
  process.stdout.write(
    call.json
      ? `${JSON.stringify(asItEnded(result, await reportResult(run, ending.status)))}\n`
      : await closingLines(run, ending.status),
  );
  return ending.interrupted ?? exitCodeOf(reportRun(run, ending.status));
}

/** A result for a person. */
async function resultText(
  tool: Tool,
  result: Record<string, unknown>,
  place: { run: RunHandle | undefined; root: string },
): Promise<string> {
  const { run } = place;
  // The answer is shown as its command shows it; a status only says where it is.
  if (tool.name === 'rlm_wait' && result.answer !== undefined && run !== undefined)
    return closingLines(run, readStatus(run));
  if (tool.name === 'rlm_status' && typeof result.run === 'object' && result.run !== null)
    return formatResult({ ...result, run: { ...result.run, answer: undefined } }, place);
  if (tool.name === 'rlm_read' && typeof result.uri === 'string' && typeof result.text === 'string')
    return `${sanitize(result.text).trimEnd()}\n${formatResult({ next: result.next }, place)}`;
  return formatResult(result, place);
}

/** Calls a tool; where it needs a choice, and a person is at the terminal, that person is asked, and it is called again. */
async function callAsking(
  tool: Tool,
  input: Record<string, unknown>,
  context: ToolContext,
): Promise<Record<string, unknown>> {
  try {
    return await callTool(tool, input, context, flagOf);
  } catch (error) {
    if (!(error instanceof RlmError) || error.choices === undefined) throw error;
    if (!process.stdin.isTTY || !process.stderr.isTTY) throw error;
    const { askChoice } = await import('./ask-choice.ts');
    const answer = await askChoice(error.choices, context.signal);
    if (answer === undefined) throw error;
    return callTool(tool, { ...input, [error.choices.field]: answer }, context, flagOf);
  }
}

/** A wait ends as work that was followed does, so that a script can act on it. */
function waitedCode(report: RunReport, untilChange: boolean): number {
  if (report.state !== 'working') return exitCodeOf(report);
  return untilChange ? 0 : EXIT_WORKING;
}

/** A tool's result about a run that was followed since: what it says of the run is how that ended. */
function asItEnded(result: Record<string, unknown>, report: RunReport): Record<string, unknown> {
  const { run } = result;
  return typeof run === 'object' && run !== null
    ? { ...result, run: { ...run, ...report } }
    : { ...result, ...report };
}

/** Opens the run that a person names: by its id, or by its directory. */
export function openNamedRun(root: string, name: string): RunHandle {
  return isDirectory(name) ? openRunDirectory(name) : openRun(root, name);
}

/** A run may be named by its directory where its id is asked for: no id looks like a path. */
function isDirectory(text: string): boolean {
  return !RUN_ID_PATTERN.test(text) && existsSync(text);
}

/** The run that a result is about, when it is about one. */
function runOf(result: Record<string, unknown>): RunHandle | undefined {
  const about = typeof result.run === 'object' && result.run !== null ? result.run : result;
  const directory: unknown = Reflect.get(about, 'run_dir');
  return typeof directory === 'string' ? openRunDirectory(directory) : undefined;
}
