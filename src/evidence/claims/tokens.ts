import { stemmer } from 'stemmer';
import { FUNCTION_WORDS, NEGATIONS } from '../quotes/index.ts';

/** Words, numbers, identifiers and addresses of a text, in order, with typography made plain. */
const TOKEN =
  /https?:\/\/[^\s"'<>)\]]*[^\s"'<>)\].,;:!?]|-{0,2}[$@#~]?[\p{L}\p{N}_/][\p{L}\p{N}\p{M}_]*(?:(?:[-.',:/@\\+]|::|->|\(\)\.)+[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*)*(?:\(\))?|[%°€$£]C?|[.!?;:,]/gu;

export interface Token {
  raw: string;
  lower: string;
  /** What all its forms have in common; empty for what says nothing by itself. */
  stem: string;
  /** Begins a sentence. */
  first: boolean;
}

/** Carry no meaning of their own beside a negation or a noun. */
const WEAK_WORDS =
  /^(?:any|only|also|ever|yet|done|doing|make|makes|made|take|takes|taken|own|such|even|already|still|explicitly|automatically)$/;

export function tokensOf(text: string): Token[] {
  const plain = text
    .normalize('NFKC')
    .replace(/[‐‑‒–—−]/g, '-')
    .replace(/(?<=\d)-(?=\d)/g, ' - ')
    .replace(/[‘’‛ʼ′]/g, "'")
    .replace(/(?<=\d)[,'\u00a0\u202f ](?=\d{3}(?!\d))/g, '')
    .replace(/\bup to\b/gi, 'at most')
    .replace(/\bcannot\b/gi, 'can not')
    .replace(/\b(\p{L}+)n't\b/giu, '$1 not');
  const tokens: Token[] = [];
  for (const [raw] of plain.matchAll(TOKEN)) {
    const lower = raw.toLowerCase();
    const before = tokens.at(-1)?.raw ?? '.';
    const says =
      /[\p{L}\p{N}]/u.test(raw) &&
      !FUNCTION_WORDS.has(lower) &&
      !NEGATIONS.has(lower) &&
      !WEAK_WORDS.test(lower);
    const stem = says ? (/^[a-z]{3,}$/.test(lower) ? stemmer(lower) : lower.replace(/\(\)$/, '')) : '';
    tokens.push({ raw, lower, stem, first: /^[.!?:]$/.test(before) });
  }
  return tokens;
}

export function sentencesOf(tokens: readonly Token[], end = /^[.!?]$/): Token[][] {
  const sentences: Token[][] = [[]];
  for (const token of tokens) {
    if (end.test(token.raw)) sentences.push([]);
    else sentences.at(-1)?.push(token);
  }
  return sentences;
}

/** The sentence that shares most words with another one. */
export function bestSentence(sentence: readonly Token[], among: readonly Token[][]): Token[] {
  const stems = new Set(sentence.flatMap(({ stem }) => (stem === '' ? [] : [stem])));
  const shared = (other: readonly Token[]) =>
    new Set(other.map(({ stem }) => stem).filter((stem) => stems.has(stem))).size;
  return among.reduce<Token[]>((a, b) => (shared(b) > shared(a) ? b : a), []);
}
