import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import type { ChunkRecord, SearchHit } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { type Corpus, chunkRecords, sourceAt, textFile } from '../corpus.ts';
import { type Match, previewOf } from './preview.ts';
import type { Question } from './question.ts';
import type { LinearPattern } from './regex.ts';
import { fill } from './texts.ts';
import type { Scored } from './top.ts';
import { beginningOf, wordsOf } from './words.ts';

const MAX_MATCHED = 12;
const MAX_MATCHED_CHARACTERS = 80;

/** Turns ranked chunks into what is shown of them. */
export interface HitReader {
  ofQuestion(scored: Scored, question: Question, notes: string[]): SearchHit;
  ofPattern(scored: Scored, pattern: LinearPattern, notes: string[]): SearchHit;
  /** Texts of chunks with the hashes of the manifest. */
  texts(ordinals: readonly number[]): { sha256: string; text: string }[];
}

export function hitReader(corpus: Corpus): HitReader {
  const read = (ordinal: number, notes: string[]): { record: ChunkRecord; text: string } => {
    const [record] = chunkRecords(corpus, [ordinal]);
    if (record === undefined) throw new Error(`no manifest line for chunk ${ordinal}`);
    let bytes: Buffer = Buffer.alloc(0);
    try {
      bytes = readChunk(corpus, ordinal);
    } catch (error) {
      notes.push(`${record.source} can no longer be read: ${messageOf(error)}`);
    }
    if (createHash('sha256').update(bytes).digest('hex') !== record.sha256) {
      const note = `${record.source} changed since it was ingested: its lines may have moved`;
      if (!notes.includes(note)) notes.push(note);
    }
    return { record, text: bytes.toString('utf8') };
  };
  return {
    ofQuestion(scored, question, notes) {
      const { record, text } = read(scored.ordinal, notes);
      const members = new Map<string, { group: number; weight: number }>();
      for (const [group, { members: own }] of question.groups.entries()) {
        for (const { term, weight } of own) if (!members.has(term)) members.set(term, { group, weight });
      }
      const beginnings = new Set([...members.keys()].map(beginningOf));
      const matches: Match[] = [];
      const matched = new Map<string, string>();
      for (const word of wordsOf(text, beginnings)) {
        // A single letter of a script without spaces is asked for by itself, and stands here in a pair.
        const member =
          members.get(word.term) ?? members.get(String.fromCodePoint(word.term.codePointAt(0) ?? 0));
        if (member === undefined) continue;
        matches.push({ start: word.start, end: word.end, ...member });
        if (!matched.has(word.term)) matched.set(word.term, word.text.toLowerCase());
      }
      return hitOf(scored, record, text, matches, [...matched.values()]);
    },
    ofPattern(scored, pattern, notes) {
      const { record, text } = read(scored.ordinal, notes);
      const found = pattern.matches(text, MAX_MATCHED);
      const matches = found.map((match) => ({ ...match, group: match.start, weight: 1 }));
      const matched = new Set(found.map(({ start, end }) => text.slice(start, end)));
      return hitOf(scored, record, text, matches, [...matched]);
    },
    texts(ordinals) {
      const records = chunkRecords(corpus, ordinals);
      return records.map(({ sha256 }, index) => ({
        sha256,
        text: readChunk(corpus, ordinals[index] ?? 0).toString('utf8'),
      }));
    },
  };
}

function hitOf(
  scored: Scored,
  record: ChunkRecord,
  text: string,
  matches: readonly Match[],
  matched: readonly string[],
): SearchHit {
  const preview = previewOf(text, matches, record.line_start);
  return {
    chunk_id: record.chunk_id,
    source: record.source,
    line_start: record.line_start,
    line_end: record.line_end,
    score: Math.round(scored.score * 10_000) / 10_000,
    tokens: record.tokens,
    matched: matched.slice(0, MAX_MATCHED).map((word) => word.slice(0, MAX_MATCHED_CHARACTERS)),
    preview: preview.text,
    preview_line_start: preview.lineStart,
    preview_line_end: preview.lineEnd,
  };
}

/** The bytes of one chunk as they are now. */
function readChunk(corpus: Corpus, ordinal: number): Buffer {
  const { spans } = corpus;
  const source = sourceAt(corpus, spans.source(ordinal));
  const fd = openSync(textFile(corpus, source), 'r');
  try {
    const bytes = Buffer.alloc(spans.length(ordinal));
    const size = spans.start(ordinal) + bytes.length;
    const filled = fill({ fd, size }, bytes, 0, spans.start(ordinal));
    return bytes.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}
