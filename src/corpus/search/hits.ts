import { closeSync, openSync } from 'node:fs';
import type { ChunkRecord, SearchHit } from '../../contracts/index.ts';
import { messageOf } from '../../errors.ts';
import { readAt } from '../../files/index.ts';
import { countNewlines, oneLine, sha256, splitsPair } from '../../text/index.ts';
import { type Corpus, chunkRecords, sourceAt, textFile } from '../corpus.ts';
import type { Question } from './question.ts';
import type { Scored } from './ranking.ts';
import type { LinearPattern } from './regex.ts';
import { beginningOf, wordsOf } from './words.ts';

const MAX_MATCHED = 12;
const MAX_MATCHED_CHARACTERS = 80;

/** Turns ranked chunks into what is shown of them. */
export interface HitReader {
  ofQuestion(scored: Scored, question: Question, notes: string[]): SearchHit;
  ofPattern(scored: Scored, pattern: LinearPattern, notes: string[]): SearchHit;
  /** Texts of chunks and their hashes, both as they are now; without those of a document that is gone. */
  texts(ordinals: readonly number[], notes: string[]): { ordinal: number; sha256: string; text: string }[];
}

export function hitReader(corpus: Corpus): HitReader {
  const read = (ordinal: number, notes: string[]): { record: ChunkRecord; text: string } => {
    const [record] = chunkRecords(corpus, [ordinal]);
    if (record === undefined) throw new Error(`no manifest line for chunk ${ordinal}`);
    const bytes = readChunk(corpus, ordinal, notes);
    if (bytes !== undefined && sha256(bytes) !== record.sha256) {
      noteOnce(notes, `${record.source} changed since it was ingested: its lines may have moved`);
    }
    return { record, text: bytes?.toString('utf8') ?? '' };
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
        // A single letter of a script without spaces is asked for by itself, and is part of a pair here.
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
    texts(ordinals, notes) {
      return ordinals.flatMap((ordinal) => {
        const bytes = readChunk(corpus, ordinal, notes);
        return bytes === undefined ? [] : [{ ordinal, sha256: sha256(bytes), text: bytes.toString('utf8') }];
      });
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

/** The bytes of one chunk as they are now; undefined, and noted, when its document cannot be opened. */
function readChunk(corpus: Corpus, ordinal: number, notes: string[]): Buffer | undefined {
  const { spans } = corpus;
  const source = sourceAt(corpus, spans.source(ordinal));
  let fd: number;
  try {
    fd = openSync(textFile(corpus, source), 'r');
  } catch (error) {
    noteOnce(notes, `${source.path} can no longer be read: ${messageOf(error)}`);
    return undefined;
  }
  try {
    return readAt(fd, spans.start(ordinal), spans.length(ordinal));
  } finally {
    closeSync(fd);
  }
}

function noteOnce(notes: string[], note: string): void {
  if (!notes.includes(note)) notes.push(note);
}

/** About how many characters a preview has. */
const PREVIEW_CHARACTERS = 320;
/** How far apart matches may lie to be shown together. */
const FOCUS_CHARACTERS = 200;

/** A match in a chunk. */
interface Match {
  start: number;
  end: number;
  /** Of which thing asked for; a second match of the same thing adds little. */
  group: number;
  weight: number;
}

interface Preview {
  text: string;
  lineStart: number;
  lineEnd: number;
}

/**
 * The part of a chunk with most of what is asked for, with context on both sides. White
 * space is folded and control characters are taken out: it is shown, not cited.
 *
 * @param matches in the order of the text
 * @param firstLine the chunk's first line in its source
 */
function previewOf(chunk: string, matches: readonly Match[], firstLine: number): Preview {
  const { start, end } = focusOf(matches);
  const room = Math.max(0, PREVIEW_CHARACTERS - (end - start));
  let from = Math.max(0, start - (room >> 1));
  let to = Math.min(chunk.length, from + Math.max(PREVIEW_CHARACTERS, end - start));
  from = Math.max(0, Math.min(from, to - PREVIEW_CHARACTERS));
  from = from === 0 ? 0 : wordStart(chunk, from, start);
  to = to === chunk.length ? to : wordEnd(chunk, to, end);
  const shown = oneLine(chunk.slice(from, to));
  const lineStart = firstLine + countNewlines(chunk, 0, from);
  return {
    text: `${from > 0 ? '…' : ''}${shown}${to < chunk.length ? '…' : ''}`,
    lineStart,
    lineEnd: lineStart + countNewlines(chunk.slice(from, to).trimEnd()),
  };
}

function focusOf(matches: readonly Match[]): { start: number; end: number } {
  let best = { start: 0, end: 0, weight: 0 };
  for (const [index, first] of matches.entries()) {
    const groups = new Map<number, number>();
    let end = first.end;
    for (let at = index; at < matches.length; at += 1) {
      const match = matches[at];
      if (match === undefined || match.end - first.start > FOCUS_CHARACTERS) break;
      groups.set(match.group, Math.max(groups.get(match.group) ?? 0, match.weight));
      end = Math.max(end, match.end);
    }
    let weight = 0;
    for (const part of groups.values()) weight += part;
    if (weight > best.weight) best = { start: first.start, end, weight };
  }
  return { start: best.start, end: Math.min(best.end, best.start + PREVIEW_CHARACTERS) };
}

/** The next place at which no word is cut, not past the first match. */
function wordStart(text: string, from: number, limit: number): number {
  for (let at = from; at < limit && at < from + 30; at += 1) if (/\s/.test(text[at - 1] ?? '')) return at;
  return splitsPair(text, from) ? from + 1 : from;
}

function wordEnd(text: string, to: number, limit: number): number {
  for (let at = to; at > limit && at > to - 30; at -= 1) if (/\s/.test(text[at] ?? '')) return at;
  return splitsPair(text, to) ? to - 1 : to;
}
