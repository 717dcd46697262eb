import { readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { ANSWER_LIMITS, WorkerAnswer } from '../contracts/index.ts';
import { locateQuote, SourceText } from '../evidence/quotes/index.ts';
import { sanitize, truncate } from '../text/index.ts';
import type { MaterialPart } from '../workers/index.ts';
import { type ChunkText, promptName } from './chunk.ts';
import type { CompiledSchema } from './schema.ts';

/** What was done to an answer before it was accepted; part of the job's row in `summary.json`. */
interface AnswerDetail {
  normalised: string[];
  quotes_verified: number;
  quotes_missing: number;
  /** Of a chunk too large to be compared with. */
  quotes_unchecked: number;
}

/** A piece of a chunk, prepared once for all quotes of an answer. */
interface QuotablePart {
  source: string;
  text: SourceText;
}

export type CheckedAnswer =
  | { ok: true; answer: WorkerAnswer; detail: AnswerDetail }
  | { ok: false; errors: string[] };

const DEFAULT_NOTE = 'The worker gave no note.';

/**
 * Worker text to an accepted answer: JSON found (also fenced, with prose around it), normalised and clamped
 * (each change recorded), checked against the answer contract, the job's own schema and the job's chunk_id.
 * Quotes are looked up in the chunk: one that is there gets its true lines as `loc`, one that is not is counted.
 */
export function checkAnswer(text: string, chunk: ChunkText, schema: CompiledSchema): CheckedAnswer {
  const value = findJsonObject(text);
  if (value === undefined) return { ok: false, errors: ['there is no JSON object in the answer'] };
  const { object, normalised } = normalise(value);
  const parsed = WorkerAnswer.safeParse(object);
  if (!parsed.success) return { ok: false, errors: parsed.error.issues.slice(0, 10).map(issueText) };
  const answer = parsed.data;
  if (answer.chunk_id !== chunk.chunkId) {
    return {
      ok: false,
      errors: [`chunk_id is '${answer.chunk_id.slice(0, 80)}' but this chunk is '${chunk.chunkId}'`],
    };
  }
  const errors = schema.errorsOf(answer);
  if (errors.length > 0) return { ok: false, errors };

  const checked = checkQuotes(answer, chunk);
  return {
    ok: true,
    answer: checked.answer,
    detail: { ...checked.detail, normalised: [...normalised, ...checked.detail.normalised] },
  };
}

/** A larger file is not compared with quotes: that would hold up all other jobs, bytes. */
const MAX_COMPARED = 4 * 1024 * 1024;

/** Gives each quote that is in the chunk its true lines, and counts those that are not. */
function checkQuotes(answer: WorkerAnswer, chunk: ChunkText): { answer: WorkerAnswer; detail: AnswerDetail } {
  const detail: AnswerDetail = { normalised: [], quotes_verified: 0, quotes_missing: 0, quotes_unchecked: 0 };
  const byPath = chunk.parts.length === 0;
  const parts = byPath ? wholeFile(chunk) : chunk.parts;
  const prepared = parts.map(({ source, lineStart, text }) => ({
    source,
    text: new SourceText(text, { byte_start: 0, line_start: lineStart }),
  }));
  const evidence = answer.evidence.map((item, index) => {
    const loc = locOf(item, prepared, byPath);
    if (loc === undefined) {
      // Words that a quick look does not find in a large file may be there in another typography.
      if (byPath) detail.quotes_unchecked += 1;
      else detail.quotes_missing += 1;
      return item;
    }
    detail.quotes_verified += 1;
    if (loc !== item.loc) detail.normalised.push(`evidence[${index}].loc`);
    return { ...item, loc };
  });
  const unchecked =
    detail.quotes_unchecked === 0
      ? []
      : [`${detail.quotes_unchecked} of ${evidence.length} quotes were not checked: the chunk is too large.`];
  return {
    answer: { ...answer, evidence, errors: [...unchecked, ...answer.errors].slice(0, ANSWER_LIMITS.list) },
    detail,
  };
}

/** A chunk that was given by its path, when it is small enough to look for quotes in it. */
function wholeFile({ chunkId, path }: ChunkText): MaterialPart[] {
  if (path === undefined || (statSync(path, { throwIfNoEntry: false })?.size ?? Infinity) > MAX_COMPARED)
    return [];
  return [{ source: promptName(path, chunkId), lineStart: 1, text: readFileSync(path, 'utf8') }];
}

/** `source:first-last` of a quote: the place that the worker named when the quote is there, else the first place that has it. */
function locOf(
  item: { loc: string; quote: string },
  parts: QuotablePart[],
  quick: boolean,
): string | undefined {
  const [, namedSource, firstLine, lastLine] = /^(.+):([0-9]+)-([0-9]+)$/s.exec(item.loc) ?? [];
  const near = { line_start: Number(firstLine), line_end: Number(lastLine) };
  const ordered = [...parts].sort(
    (a, b) => Number(b.source === namedSource) - Number(a.source === namedSource),
  );
  for (const { source, text } of ordered) {
    const found = locateQuote(text, item.quote, { quick, ...(source === namedSource ? { near } : {}) });
    if (found.match === 'missing') continue;
    const [first, last] = [found.spans[0], found.spans.at(-1)];
    const lines = `:${first?.line_start ?? 1}-${last?.line_end ?? 1}`;
    return truncate(source, ANSWER_LIMITS.loc - lines.length, { keep: 'end', mark: '' }) + lines;
  }
  return undefined;
}

/**
 * The JSON object in a text: the whole of it, a fenced block, or the last balanced `{…}` that parses.
 * Undefined when there is none.
 */
export function findJsonObject(text: string): Record<string, unknown> | undefined {
  const whole = asObject(text);
  if (whole !== undefined) return whole;
  for (const [, fenced = ''] of [...text.matchAll(/```(?:json)?[^\n]*\n([\s\S]*?)```/gi)].reverse()) {
    const object = asObject(fenced);
    if (object !== undefined) return object;
  }
  return lastObject(text);
}

/** Limits for a text full of braces: how often each character is looked at, and how many pieces are parsed in vain. */
const MAX_LOOKS = 20;
const MAX_VAIN = 1000;

function lastObject(text: string): Record<string, unknown> | undefined {
  let last: Record<string, unknown> | undefined;
  let looks = MAX_LOOKS * text.length;
  let vain = 0;
  for (let start = text.indexOf('{'); start !== -1 && looks > 0 && vain < MAX_VAIN; ) {
    const end = closingBrace(text, start);
    looks -= (end ?? text.length) - start;
    const object = end === undefined ? undefined : asObject(text.slice(start, end + 1));
    last = object ?? last;
    if (object === undefined) vain += 1;
    start = text.indexOf('{', object === undefined || end === undefined ? start + 1 : end + 1);
  }
  return last;
}

/** Where the brace that opens at `start` is closed, braces in strings apart. */
function closingBrace(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (quoted && character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character === '{') depth += 1;
    else if (!quoted && character === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return undefined;
}

function asObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const Loose = z.looseObject({
  summary: z.unknown().optional(),
  gaps: z.unknown().optional(),
  errors: z.unknown().optional(),
  evidence: z.unknown().optional(),
});

/** Fills in what is missing and cuts what is too long: text keeps its left end, `loc` its right end with the lines. */
function normalise(value: Record<string, unknown>): {
  object: Record<string, unknown>;
  normalised: string[];
} {
  const normalised: string[] = [];
  const clamp = (field: unknown, limit: number, name: string, keep: 'start' | 'end' = 'start'): unknown => {
    if (typeof field !== 'string') return field;
    const clean = sanitize(field);
    if (clean.length <= limit) return clean;
    normalised.push(name);
    return truncate(clean, limit, { keep, mark: '' });
  };
  const object = { ...Loose.parse(value) };
  for (const list of ['gaps', 'errors'] as const) {
    const items = object[list];
    if (items === undefined || items === null) {
      object[list] = [];
      normalised.push(list);
    } else if (Array.isArray(items)) {
      object[list] = items.map((item: unknown) => (typeof item === 'string' ? sanitize(item) : item));
    }
  }
  if ('summary' in object) object.summary = clamp(object.summary, ANSWER_LIMITS.summary, 'summary');
  if (Array.isArray(object.evidence)) {
    object.evidence = object.evidence.map((item: unknown, index) => {
      if (typeof item !== 'object' || item === null) return item;
      const evidence: Record<string, unknown> = { ...item };
      const name = (field: string) => `evidence[${index}].${field}`;
      if (evidence.note === undefined || evidence.note === null || evidence.note === '') {
        evidence.note = DEFAULT_NOTE;
        normalised.push(name('note'));
      }
      return {
        ...evidence,
        loc: clamp(evidence.loc, ANSWER_LIMITS.loc, name('loc'), 'end'),
        quote: clamp(evidence.quote, ANSWER_LIMITS.quote, name('quote')),
        note: clamp(evidence.note, ANSWER_LIMITS.note, name('note')),
      };
    });
  }
  return { object, normalised };
}

function issueText(issue: { path: PropertyKey[]; message: string }): string {
  return `${issue.path.length === 0 ? 'the answer' : issue.path.join('.')}: ${issue.message}`;
}
