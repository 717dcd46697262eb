import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FinalAnswer, type ReadSource, RUN_FILES, type VerifiedEvidence } from '../contracts/index.ts';
import { type Corpus, openCorpus, textFile } from '../corpus/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { citedSpans, gateAnswer, locateQuote, SourceText } from '../evidence/index.ts';
import { hashFile } from '../files/index.ts';
import { sha256, truncate } from '../text/index.ts';
import { readReduced, sourceReader } from './reduce-run.ts';

/** What has become of a quote since the answer was written. */
interface QuoteCheck {
  /** Number of the citation in the answer, from 1. */
  citation: number;
  location: string;
  /** `moved`: the words are there, at other lines; `gone`: the document is; `unverified`: no evidence says so. */
  state: 'unchanged' | 'moved' | 'changed' | 'gone' | 'unverified';
  /** What has changed, in words; null when nothing has. */
  detail: string | null;
  quote: string | null;
}

export interface AnswerCheck {
  answer: string;
  quotes: QuoteCheck[];
  /** Rules of the gate that the answer breaks, besides its quotes. */
  problems: string[];
}

/** A document larger than this is not searched for a quote that moved, bytes. */
const MAX_SEARCHED = 64 * 1024 * 1024;

/**
 * Checks an answer again, from the files alone: whether each of its quotes is still in its document, byte by byte,
 * and whether it still passes the gate.
 *
 * @param file `out/answer.json` in the directory of its run
 * @throws RlmError `not_found` when there is no such answer, or no evidence beside it; `corrupt` for another file
 */
export async function checkAnswerFile(file: string): Promise<AnswerCheck> {
  const path = resolve(file);
  const runDir = dirname(dirname(path));
  if (!existsSync(path)) throw new RlmError('not_found', `there is no file ${path}`);
  if (path !== join(runDir, RUN_FILES.answer)) {
    throw new RlmError('usage', `${path} is not the ${RUN_FILES.answer} of a run`, {
      hint: { text: 'Name the file where it was written: its evidence is beside it.' },
    });
  }
  const answer = readAnswer(path);
  const reduced = readReduced(runDir);
  const corpus = await openCorpus(runDir);
  const reader = sourceReader(corpus);
  try {
    const documents = new Documents(corpus);
    const cited = citedSpans(answer, reduced.evidence);
    const quotes = answer.citations.flatMap(({ sources }, index) => {
      const spans = cited[index] ?? [];
      const citation = index + 1;
      if (spans.length > 0) return spans.map((span) => ({ citation, ...documents.check(span) }));
      const detail = 'no verified evidence has this location';
      const location = sources.join(', ');
      return [{ citation, location, state: 'unverified' as const, detail, quote: null }];
    });
    const gate = gateAnswer(answer, { ...reduced, reader });
    const problems = gate.ok
      ? gate.moved.map((claim) => `claims an absence that was not shown: ${truncate(claim, 200)}`)
      : gate.problems
          .filter(({ code }) => code !== 'source_changed' && code !== 'unverified_source')
          .map(({ message }) => message);
    return { answer: path, quotes, problems };
  } finally {
    reader.close();
  }
}

/** @throws RlmError `not_found`, or `corrupt` for what is no answer */
export function readAnswer(path: string): FinalAnswer {
  if (!existsSync(path)) {
    throw new RlmError('not_found', `run '${basename(dirname(dirname(path)))}' has no answer`, {
      hint: { text: 'Only a question that was answered has one.' },
    });
  }
  try {
    return FinalAnswer.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new RlmError('corrupt', `${path} is not an answer: ${truncate(messageOf(error), 300)}`);
  }
}

/** The documents of a run, each read and hashed once. */
class Documents {
  readonly #corpus: Corpus;
  readonly #read = new Map<string, { bytes: Uint8Array; changed: boolean } | string>();
  readonly #texts = new Map<string, SourceText>();

  constructor(corpus: Corpus) {
    this.#corpus = corpus;
  }

  check({ source, location, quote, ...span }: VerifiedEvidence): Omit<QuoteCheck, 'citation'> {
    const as = (state: QuoteCheck['state'], detail: string | null) => ({ location, state, detail, quote });
    const document = this.#document(source);
    if (typeof document === 'string') return as('gone', document);
    const same = sha256(document.bytes.subarray(span.byte_start, span.byte_end)) === span.sha256;
    if (same && !document.changed) return as('unchanged', null);
    if (same) return as('changed', `${source} has changed since its text was extracted`);
    const lines = this.#linesOf(source, document.bytes, quote, span);
    return lines === undefined
      ? as('changed', `${source} no longer has these words`)
      : as('moved', `the words are at lines ${lines} of ${source} now`);
  }

  /** Its bytes, and whether what they were extracted from has changed; or why it cannot be read. */
  #document(path: string): { bytes: Uint8Array; changed: boolean } | string {
    let document = this.#read.get(path);
    if (document === undefined) {
      const record = this.#corpus.sources.find((source) => source.path === path);
      document = record?.status === 'read' ? this.#load(record) : `${path} is not a document of this run`;
      this.#read.set(path, document);
    }
    return document;
  }

  #load(record: ReadSource): { bytes: Uint8Array; changed: boolean } | string {
    try {
      const bytes = readFileSync(textFile(this.#corpus, record));
      const changed = record.text_path !== null && hashFile(record.file).sha256 !== record.sha256;
      return { bytes, changed };
    } catch (error) {
      return `${record.path} cannot be read: ${messageOf(error)}`;
    }
  }

  #linesOf(
    source: string,
    bytes: Uint8Array,
    quote: string,
    near: { line_start: number; line_end: number },
  ): string | undefined {
    if (bytes.length > MAX_SEARCHED) return undefined;
    const text = this.#texts.get(source) ?? new SourceText(bytes);
    this.#texts.set(source, text);
    const found = locateQuote(text, quote, { near });
    // Words with an edit are other words here: the answer was written from the old ones.
    if (found.match === 'missing' || found.match === 'fuzzy') return undefined;
    return found.spans.map(({ line_start, line_end }) => `${line_start}-${line_end}`).join(', ');
  }
}
