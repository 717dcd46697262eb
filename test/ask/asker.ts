import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { AskState, JournalEvent } from '../../src/contracts/index.ts';
import { isolatedCodex } from '../support/codex-home.ts';
import { type ModelServer, startModelServer } from '../support/model-server.ts';
import { type Exit, exitOf, startRlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import type { ScriptedReply } from '../support/script.ts';

/** What the flow of an ask wants of a model. */
export type Step = 'expansion' | 'chunk' | 'synthesis' | 'merge';

/** A model: one function for each step. `earlier`: calls of this step, about this chunk, that came before. */
export type Model = Record<Step, (prompt: string, earlier: number) => unknown | ScriptedReply>;

/** A person with documents, a real Codex (its app-server) and a scripted model behind it. */
export class Asker {
  readonly root = temporaryDirectory();
  readonly server: ModelServer;
  readonly #env: Record<string, string>;

  private constructor(server: ModelServer) {
    this.server = server;
    const { home, codexHome, env } = isolatedCodex(join(this.root, 'user'), server.url);
    this.#env = { HOME: home, CODEX_HOME: codexHome, PATH: env.PATH ?? '' };
    place(
      join(this.root, '.rlm', 'config.json'),
      JSON.stringify({ worker: 'codex', limits: { backoff_ms: 20, backoff_max_ms: 200, parallel: 4 } }),
    );
  }

  static async start(model: Partial<Model> = {}): Promise<Asker> {
    const whole: Model = { ...GOOD_MODEL, ...model };
    const server = await startModelServer({
      keyOf: (prompt) => `${stepOf(prompt)} ${chunkIdOf(prompt)}`,
      reply({ prompt, earlier }) {
        const reply = whole[stepOf(prompt)](prompt, earlier);
        return isScripted(reply)
          ? reply
          : { kind: 'answer', text: JSON.stringify(reply), usage: { input: 100, output: 10 } };
      },
    });
    onTestFinished(() => server.close());
    return new Asker(server);
  }

  /** Writes documents; a name to its text. */
  write(documents: Record<string, string>): void {
    for (const [name, text] of Object.entries(documents)) place(join(this.root, name), text);
  }

  start(...args: string[]): ChildProcess {
    return startRlm(args, { cwd: this.root, env: this.#env });
  }

  rlm(...args: string[]): Promise<Exit> {
    return exitOf(this.start(...args));
  }

  /** How many calls of a step the model has seen. */
  calls(step: Step): number {
    return this.server.calls.filter(({ prompt }) => stepOf(prompt) === step).length;
  }

  /** Directory of a run; of the newest when no id is given. */
  run(id = readdirSync(join(this.root, '.rlm/runs')).sort().at(-1) ?? 'none'): string {
    return join(this.root, '.rlm/runs', id);
  }
}

export function readState(runDir: string): AskState {
  return AskState.parse(JSON.parse(readFileSync(join(runDir, 'ask/state.json'), 'utf8')));
}

/** The journal's whole lines so far. */
export function readJournal(runDir: string): JournalEvent[] {
  const path = join(runDir, 'events.jsonl');
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JournalEvent.parse(JSON.parse(line)));
}

/** Ids that were launched again after their answer had been accepted, stale ones aside. */
export function runAgain(events: readonly JournalEvent[]): string[] {
  const accepted = new Set<string>();
  const again: string[] = [];
  for (const event of events) {
    if (event.type === 'stale') accepted.delete(event.id);
    if (event.type === 'result' && event.result.status === 'accepted') accepted.add(event.result.id);
    if (event.type === 'attempt_started' && accepted.has(event.id)) again.push(event.id);
  }
  return again;
}

export function stepOf(prompt: string): Step {
  if (prompt.includes('You read one chunk')) return 'chunk';
  if (prompt.includes('You prepare a question')) return 'expansion';
  return prompt.includes('The evidence was too large for one call') ? 'merge' : 'synthesis';
}

export function chunkIdOf(prompt: string): string {
  return /^chunk_id: (\S+)$/m.exec(prompt)?.[1] ?? '';
}

/** The numbered evidence of a synthesis prompt. */
function evidenceOf(prompt: string): { number: number; quote: string }[] {
  return [...prompt.matchAll(/^(\d+)\. \((.+?)\) ("(?:[^"\\]|\\.)*")/gm)].map(([, number, , quote]) => ({
    number: Number(number),
    quote: String(JSON.parse(quote ?? '""')),
  }));
}

/** What a chunk says, as a good model reads it: every line that gives a code word is quoted. */
export function chunkAnswer(prompt: string, change: Record<string, unknown> = {}) {
  const quotes = [...prompt.matchAll(/^The code word of .+$/gm)].map(([line]) => line);
  return {
    chunk_id: chunkIdOf(prompt),
    relevant: quotes.length > 0,
    summary: 'What the chunk says.',
    confidence: 0.9,
    evidence: quotes.map((quote) => ({ loc: 'somewhere:1-1', quote, note: 'says it' })),
    gaps: [],
    errors: [],
    ...change,
  };
}

/** Every piece of evidence as a claim of its own. */
export function synthesis(prompt: string, change: Record<string, unknown> = {}) {
  const claims = evidenceOf(prompt)
    .slice(0, 100)
    .map(({ number, quote }) => ({ text: quote.split('\n')[0] ?? '', evidence: [number] }));
  return { claims, conflicts: [], gaps: [], confidence: 0.9, ...change };
}

const GOOD_MODEL: Model = {
  expansion: () => ({ terms: ['password'], phrasings: ['the secret word of'] }),
  chunk: (prompt) => chunkAnswer(prompt),
  synthesis: (prompt) => synthesis(prompt),
  merge: (prompt) => ({
    claims: [...prompt.matchAll(/^- \(evidence ([\d, ]+)\) (".*")$/gm)].slice(0, 100).map(([, n, text]) => ({
      text: String(JSON.parse(text ?? '""')),
      evidence: (n ?? '').split(', ').map(Number),
    })),
    conflicts: [],
    gaps: [],
    confidence: 0.9,
  }),
};

/**
 * So many documents of one chunk each; document `n` says `The code word of unit n is w-n.` on its third line.
 * Fifteen or more do not fit one prompt.
 */
export function units(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `docs/unit-${String(index + 1).padStart(3, '0')}.md`,
      unit(index + 1),
    ]),
  );
}

export function unit(n: number, word = `w-${n}`): string {
  const filler = Array.from(
    { length: 40 },
    (_, line) =>
      `Paragraph ${line} of the handbook of unit ${n} tells of other matters, such as the weather.`,
  );
  return `# Unit ${n}\n\nThe code word of unit ${n} is ${word}.\n\n${filler.join('\n')}\n`;
}

function isScripted(reply: unknown): reply is ScriptedReply {
  return typeof reply === 'object' && reply !== null && 'kind' in reply;
}
