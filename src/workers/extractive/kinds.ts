/** Names and signs without a sentence around them show less than they hold. */
const CODE_SHARE = 0.7;
/** A list of names, a link or a badge shows next to nothing. */
const BARE_SHARE = 0.4;

/** So many of the lines make it one: a table of contents may hold an odd entry. */
const BARE_LINES = 0.8;

const BARE =
  /^\s*(?:import\b|export\s+(?:\*|\{|type\s*\{)|#include\b|using\s|require\b|(?:const|let|var)\s[^=]*=\s*require\b|<\/?\w+[^>]*>?\s*$)|^[\s*+-]*(?:!?\[)+[^\]]*\]\([^)]*\)[\s.,\])]*(?:\([^)]*\))?$|^\s*\[[^\]]+\]:(?:\s|$)|^\s*https?:\S+\s*$/;
/** Ends or begins as code does; a comment says something in words. */
const CODE =
  /[;{}(,>]\s*$|=>|^\s*(?:[\w$.?'"]+\s*[:=]|[\])}]|<\/?\w|\$ |import |from |def |fn |func |class |return |const |let |var |export |readonly |type |interface )/;
const COMMENT = /^\s*(?:\/\*|\*|\/\/|#\s)/;

/** What a quote shows of what its words hold, 0..1: prose all of it, code less. */
export function shareOf(quote: string): number {
  const lines = quote.split('\n').filter((line) => /[\p{L}\p{N}]/u.test(line));
  if (lines.filter((line) => BARE.test(line)).length >= lines.length * BARE_LINES) return BARE_SHARE;
  const code = lines.filter((line) => CODE.test(line) && !COMMENT.test(line)).length;
  return code * 2 > lines.length ? CODE_SHARE : 1;
}
