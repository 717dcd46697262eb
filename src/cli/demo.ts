import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { startActivity } from '../activities/index.ts';
import { prepareAsk } from '../ask/index.ts';
import { loadConfig } from '../config/index.ts';
import { RlmError } from '../errors.ts';
import { packageRoot } from '../files/index.ts';
import { oneLine } from '../text/index.ts';
import { closingLines, exitCodeOf } from './closing.ts';
import { followRun } from './follow.ts';

const QUESTION = 'How do I extract images from a PDF?';

/**
 * `rlm demo`: a real question over the documentation of installed packages, by default with the extractive
 * reader, which needs no model: progress on stderr, then the answer with its checked citations.
 *
 * @returns the exit code of the ask
 * @throws RlmError `unavailable` when no documentation is installed
 */
export async function runDemo(
  root: string,
  options: { question: string | undefined; worker: 'auto' | 'codex' | 'claude' | 'extractive' },
): Promise<number> {
  const question = options.question ?? QUESTION;
  const inputs = findDocuments();
  if (inputs.length === 0) {
    throw new RlmError(
      'unavailable',
      'none of the packages whose documentation the demo reads is installed',
      {
        hint: 'Install rlm-mcp with its dependencies.',
      },
    );
  }
  say(`Question: ${oneLine(question)}`);
  say(`Reading ${inputs.length} documents of installed packages.\n`);
  const { run, params } = await prepareAsk(
    { question, input: inputs, worker: options.worker },
    {
      root,
      cwd: process.cwd(),
      config: loadConfig(root).values,
      allowedRoots: null,
      environment: process.env,
    },
  );
  await startActivity(run, 'ask', params);
  const { status, interrupted } = await followRun(run, { started: true });
  if (interrupted !== undefined) return interrupted;
  say(await closingLines(run, status));
  say(nextSteps(options.worker));
  return exitCodeOf({ ...status, kind: 'ask' });
}

/** Markdown files at the top of the packages that this one depends on, wherever they are installed. */
function findDocuments(): string[] {
  const manifest = z
    .object({ dependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')));
  const places = createRequire(import.meta.url).resolve.paths('rlm-mcp') ?? [];
  return Object.keys(manifest.dependencies).flatMap((name) => {
    const directory = places.map((place) => join(place, name)).find((path) => existsSync(path));
    if (directory === undefined) return [];
    const files = readdirSync(directory).filter((file) => /^readme\.(md|markdown)$/i.test(file));
    return files.map((file) => join(directory, file));
  });
}

/** What to do next, in commands that can be pasted. */
function nextSteps(worker: string): string {
  const program = process.argv[1] ?? 'rlm';
  const rlm = isOnPath(program) ? 'rlm' : `node ${realpathSync(program)}`;
  const server = `node ${realpathSync(program)} mcp`;
  const models = `The extractive reader picks passages; it does not think. For answers by a model, log in to one
(codex login, or claude auth login), then:
  ${rlm} doctor
  ${rlm} demo --worker auto
`;
  return `${worker === 'extractive' ? models : ''}Ask your own documents:
  ${rlm} ask "…" --input docs
To give the tools to an agent:
  codex mcp add rlm -- ${server}
  claude mcp add rlm -- ${server}`;
}

/** Whether typing `rlm` would start this very program. */
function isOnPath(program: string): boolean {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, 'rlm'))
    .find((path) => existsSync(path));
  return found !== undefined && realpathSync(found) === realpathSync(program);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
