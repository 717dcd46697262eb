/** Shorter ones stand nearly everywhere. */
const SHORTEST = 3;
/** ASCII that stands for itself, outside a class. */
const PLAIN = /[A-Za-z0-9 _"'#%&,/:;<=>@`~-]/;
/** That what stands before it may be absent; a brace that counts nothing stands for itself. */
const REPEAT = /^(?:[*?]|\{\d+(?:,\d*)?\})/;
/** A bracket right behind the opening one stands for itself, and `[:digit:]` has brackets of its own. */
const CLASS = /\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]/sy;

/**
 * The longest text, in lower case, that every match of a pattern must hold in some case; undefined when the
 * pattern's form does not show one. It errs towards undefined: groups, classes and alternatives are passed over.
 */
export function requiredLiteral(pattern: string): string | undefined {
  const runs: string[] = [];
  let run = '';
  const end = () => {
    runs.push(run);
    run = '';
  };
  let at = 0;
  // Leading flags only say how to match; verbose patterns do not exist in RE2.
  const flags = /^\(\?[imsU]+\)/.exec(pattern);
  if (flags !== null) at = flags[0].length;
  while (at < pattern.length) {
    const character = pattern[at] ?? '';
    const repeat = REPEAT.exec(pattern.slice(at))?.[0];
    if (character === '|') return undefined;
    if (character === '(' || character === '[') {
      end();
      const close = closingOf(pattern, at);
      if (close === undefined) return undefined;
      at = close + 1;
    } else if (repeat !== undefined) {
      run = run.slice(0, -1);
      end();
      at += repeat.length;
    } else if (character === '\\') {
      const escaped = pattern[at + 1] ?? '';
      if (escaped === 'Q') return undefined;
      if (/[^A-Za-z0-9]/.test(escaped) && escaped <= '~') run += escaped;
      else {
        end();
        // What follows in braces or as digits belongs to the escape: \x{1F600}, \p{Greek}, \x41.
        const rest = /^(?:[pPx]\{[^}]*\}|x[0-9A-Fa-f]{2}|p[A-Z]|P[A-Z]|[0-7]{1,3})/.exec(
          pattern.slice(at + 1),
        );
        if (rest !== null) at += rest[0].length - 1;
      }
      at += 2;
    } else {
      if (PLAIN.test(character)) run += character;
      else end();
      at += 1;
    }
  }
  end();
  const longest = runs.reduce((best, one) => (one.length > best.length ? one : best), '');
  return longest.length >= SHORTEST ? longest.toLowerCase() : undefined;
}

/** Where the group or class that opens at `from` is closed; undefined when it is not. */
function closingOf(pattern: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '\\') at += 1;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === '[') {
      CLASS.lastIndex = at;
      if (!CLASS.test(pattern)) return undefined;
      at = CLASS.lastIndex - 1;
    }
    if (depth === 0) return at;
  }
  return undefined;
}
