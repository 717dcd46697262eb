import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  addUsage,
  type IterationRecord,
  NO_USAGE,
  type RefineParams,
  type RefineRole,
  type ResultRecord,
  RUN_FILES,
  type Usage,
} from '../contracts/index.ts';
import { type Assignment, ResultReader, type Stop } from '../dispatch/index.ts';
import { ensureDirectory, readLines, writeFileAtomic } from '../files/index.ts';
import { oneLine, sha256 } from '../text/index.ts';
import type { LineContext } from './context.ts';
import { type TurnContext, turnInput, turnInstructions } from './prompts.ts';

const ROLES: Readonly<Record<RefineParams['roles'], readonly RefineRole[]>> = {
  single: ['single'],
  triad: ['planner', 'critic', 'reviser'],
};
const MAX_COMMANDS = 100;

/** What the turns of an iteration came to. */
export interface Turns {
  /** Why no further turn may be taken. */
  stop: Stop | undefined;
  turns: IterationRecord['turns'];
  /** Commands that the agent ran. */
  commands: string[];
  /** The last message of the role that changes files. */
  answer: string;
  usage: Usage;
  costUsd: number | null;
}

/** Id of the turn that changes files. */
export function writingTurn(id: string, roles: RefineParams['roles']): string {
  return roles === 'triad' ? `${id}-reviser` : id;
}

/**
 * Takes the turns of an iteration, one a role, each as an assignment of its own: one that an earlier driver saw accepted
 * is not taken again.
 *
 * @param id of the iteration
 * @param directory where the agent works
 * @param describe what a turn is told; made when its prompt is
 */
export async function takeTurns(
  shared: LineContext,
  id: string,
  directory: string,
  describe: () => Promise<TurnContext>,
): Promise<Turns> {
  const { params, flow, session } = shared;
  const roles = ROLES[params.roles];
  const all: Turns = { stop: undefined, turns: [], commands: [], answer: '', usage: NO_USAGE, costUsd: null };
  const said: Partial<Record<RefineRole, string>> = {};
  for (const role of roles) {
    const turnId = role === 'single' ? id : `${id}-${role}`;
    const path = join(flow.run.dir, RUN_FILES.turns, `${turnId}.md`);
    const began = performance.now();
    const accepted = Boolean(flow.history.accepted.get(turnId)) && existsSync(path);
    if (!accepted) {
      const told = async () => turnInput({ ...(await describe()), ...saidBefore(said) });
      const stop = await session.dispatch([turn(shared, { turnId, role, path, directory }, told)], {
        added: 1,
        carried: 0,
      });
      if (stop !== undefined) return { ...all, stop };
    }
    const result = resultOf(shared, turnId);
    const ok = accepted || result?.status === 'accepted';
    all.turns.push({
      role,
      accepted: ok,
      failure: ok ? null : oneLine(result?.errors.at(-1) ?? 'the turn failed', 300),
      duration_ms: Math.round(performance.now() - began),
    });
    if (result !== undefined) {
      all.usage = addUsage(all.usage, result.usage);
      if (result.cost_usd !== null) all.costUsd = (all.costUsd ?? 0) + result.cost_usd;
      for (const log of result.log_paths) all.commands.push(...(await commandsOf(join(flow.run.dir, log))));
    }
    if (!ok) break;
    said[role] = readFileSync(path, 'utf8');
  }
  const answer = said[roles.at(-1) ?? 'single'] ?? '';
  return { ...all, commands: all.commands.slice(0, MAX_COMMANDS), answer };
}

function saidBefore({ planner, critic }: Partial<Record<RefineRole, string>>): Partial<TurnContext> {
  return { ...(planner === undefined ? {} : { planner }), ...(critic === undefined ? {} : { critic }) };
}

/** How a turn ended, as the journal says. */
function resultOf({ flow: { journal, run } }: LineContext, turnId: string): ResultRecord | undefined {
  const offset = journal.history.accepted.get(turnId) || journal.history.failed.get(turnId);
  if (!offset) return undefined;
  const reader = new ResultReader(join(run.dir, RUN_FILES.events));
  try {
    return reader.read(offset);
  } finally {
    reader.close();
  }
}

/** One turn as an assignment. What the agent says is kept; what it did is judged by the tree and the validator. */
function turn(
  shared: LineContext,
  of: { turnId: string; role: RefineRole; path: string; directory: string },
  told: () => Promise<string>,
): Assignment {
  const { params, flow } = shared;
  const { turnId, role, path, directory } = of;
  const instructions = turnInstructions(role);
  const reads = role === 'planner' || role === 'critic';
  return {
    id: turnId,
    prepare: async () => {
      const input = await told();
      const { model, effort } = modelOf(shared, role);
      return {
        key: sha256(`${turnId}\n${instructions}\n${input}`),
        cacheKey: null,
        call: () => ({
          // As part of the input: in the place of instructions they would replace the agent's own.
          instructions: '',
          input: `${instructions}\n\n${input}`,
          model,
          effort,
          sandbox: reads
            ? { mode: 'read-only' }
            : {
                mode: 'workspace-write',
                writable: [...params.add_dirs, directory],
                readOnly: [join(directory, '.git'), join(flow.run.record.root, '.rlm')],
                network: params.allow_network,
              },
          tools: true,
          cwd: directory,
          timeoutMs: Math.max(1, Math.min(params.timeout_sec * 1000, shared.remainingMs())),
        }),
        accept: (text) => ({ ok: true, text }),
        commit: (text) => {
          ensureDirectory(join(flow.run.dir, RUN_FILES.turns));
          writeFileAtomic(path, text);
          return { output_path: path, output_sha256: sha256(text) };
        },
      };
    },
  };
}

/** The model of a role, where the configuration names one; else that of the session. */
function modelOf(
  { session, flow }: LineContext,
  role: RefineRole,
): { model: string | null; effort: string | null } {
  const own = role === 'single' ? undefined : flow.config.values.refine.models[role];
  if (session.model === null) return { model: null, effort: null };
  const model = session.worker.name === 'claude' ? own?.claude_model : own?.model;
  return { model: model ?? session.model, effort: own?.effort ?? session.effort };
}

const CodexLine = z.object({ item: z.object({ type: z.literal('command_execution'), command: z.string() }) });
const ClaudeLine = z.object({
  message: z.object({
    content: z.array(
      z.looseObject({
        name: z.string().optional(),
        input: z.looseObject({ command: z.string() }).optional(),
      }),
    ),
  }),
});

/** The commands that an agent ran, as its log tells; a program's own log tells none. */
async function commandsOf(log: string): Promise<string[]> {
  if (!existsSync(log)) return [];
  const commands: string[] = [];
  for await (const line of readLines(log)) {
    if (!line.text.includes('command')) continue;
    let value: unknown;
    try {
      value = JSON.parse(line.text);
    } catch {
      continue;
    }
    const codex = CodexLine.safeParse(value).data;
    if (codex !== undefined) commands.push(oneLine(codex.item.command, 300));
    for (const part of ClaudeLine.safeParse(value).data?.message.content ?? []) {
      if (part.name === 'Bash' && part.input !== undefined) commands.push(oneLine(part.input.command, 300));
    }
  }
  return [...new Set(commands)];
}
