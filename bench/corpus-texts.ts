import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const PIECE_BYTES = 1 << 20;
const PIECES = 48;
const FILES = 16;

/**
 * Writes the same texts every time: lines of words drawn from 50,000 by Zipf's law, with headings and blank
 * lines, in 16 files.
 *
 * @returns the words, the most frequent first
 */
export function writeTexts(directory: string, megabytes: number): string[] {
  const next = random(12345);
  const words = vocabulary(next);
  const scale = Math.log(words.length);
  const pieces = Array.from({ length: Math.min(PIECES, megabytes) }, () => {
    const lines: string[] = [];
    for (let bytes = 0; bytes < PIECE_BYTES; ) {
      let line = next() < 0.02 ? '\n## ' : '';
      for (const length = 50 + next() * 60; line.length < length; ) {
        line += `${words[Math.floor(Math.exp(next() * scale)) - 1] ?? ''} `;
      }
      lines.push(line);
      bytes += line.length + 1;
    }
    return Buffer.from(`${lines.join('\n')}\n`).subarray(0, PIECE_BYTES);
  });
  mkdirSync(directory, { recursive: true });
  for (let file = 0; file < FILES; file += 1) {
    const fd = openSync(join(directory, `text-${String(file).padStart(2, '0')}.md`), 'w');
    for (let piece = 0; piece < megabytes / FILES; piece += 1) {
      writeSync(fd, pieces[(piece * 7 + file * 3) % pieces.length] ?? Buffer.alloc(0));
    }
    closeSync(fd);
  }
  return words;
}

function vocabulary(next: () => number): string[] {
  const words = new Set<string>();
  const pick = (letters: string) => letters[Math.floor(next() * letters.length)] ?? '';
  while (words.size < 50_000) {
    let word = '';
    for (let syllables = 1 + Math.floor(next() * 4); syllables > 0; syllables -= 1) {
      word += pick('bcdfghjklmnprstvwz') + pick('aeiou') + (next() < 0.3 ? pick('lmnrst') : '');
    }
    words.add(word);
  }
  // Short words are the frequent ones, as in a language.
  return [...words].sort((a, b) => a.length - b.length);
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
