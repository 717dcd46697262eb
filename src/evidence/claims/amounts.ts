import { bestSentence, sentencesOf, type Token } from './tokens.ts';

const NUMBER_WORDS = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve'
    .split(' ')
    .map((word, value) => [word, value] as const),
);
for (const [index, word] of 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ').entries()) {
  NUMBER_WORDS.set(word, (index + 2) * 10);
}
const MULTIPLES = new Map([
  ['hundred', 1e2],
  ['thousand', 1e3],
  ['million', 1e6],
  ['billion', 1e9],
]);

/** Units by all their spellings; a letter alone is a unit only behind a number. */
const UNITS = new Map(
  [
    'ms millisecond milliseconds msec',
    's sec secs second seconds',
    'min mins minute minutes',
    'h hr hrs hour hours',
    'd day days',
    'week weeks',
    'month months monthly',
    'year years',
    'b byte bytes',
    'kb kilobyte kilobytes',
    'mb megabyte megabytes',
    'gb gigabyte gigabytes',
    'tb terabyte terabytes',
    'kib',
    'mib',
    'gib',
    'bit bits',
    '% percent',
    'mm millimetre millimetres millimeters',
    'cm centimetre centimetres centimeters',
    'm metre metres meter meters',
    'km kilometre kilometres kilometers',
    'mile miles',
    'km/h kmh kph',
    'mph',
    'mg milligram milligrams',
    'g gram grams',
    'kg kilogram kilograms',
    '°c celsius',
    '°f fahrenheit',
    'hz',
    'khz',
    'mhz',
    'ghz',
    'v volt volts',
    'w watt watts',
    'kw',
    'bar',
    '€ euro euros eur',
    '$ dollar dollars usd',
    '£ pound pounds gbp',
  ].flatMap((line) => line.split(' ').map((name, _, [unit = '']) => [name, unit] as const)),
);
/** Say something else as often when no number is before them. */
const AMBIGUOUS_UNITS = new Set([
  'second',
  'min',
  'bar',
  'bit',
  'pound',
  'b',
  's',
  'd',
  'h',
  'm',
  'g',
  'v',
  'w',
]);

interface Amount {
  value: string;
  unit: string | undefined;
  /** The word behind it. */
  next: string;
  raw: string;
}

function amountsIn(tokens: readonly Token[]): Amount[] {
  return tokens.flatMap(({ raw, lower }, index): Amount[] => {
    const attached = /^(-?\d+(?:\.\d+)*)([a-z%°€]{0,4})$/.exec(lower);
    const word = NUMBER_WORDS.get(lower);
    if (attached === null && word === undefined) return [];
    let next = tokens[index + 1]?.lower ?? '';
    let value = attached?.[1] ?? String(word);
    const multiple = MULTIPLES.get(next);
    if (multiple !== undefined && !Number.isNaN(Number(value))) {
      value = String(Number(value) * multiple);
      next = tokens[index + 2]?.lower ?? '';
    } else if (!Number.isNaN(Number(value))) value = String(Number(value));
    const suffix = attached?.[2] ?? '';
    return [{ value, unit: UNITS.get(suffix || next), next: suffix || next, raw }];
  });
}

/** Whether two words are the same number or unit: five and 5, ms and milliseconds. */
export function isSameAmount(one: Token, other: Token): boolean {
  const [[a], [b]] = [amountsIn([one]), amountsIn([other])];
  if (a !== undefined || b !== undefined) return a?.value === b?.value;
  const unit = UNITS.get(one.lower);
  return unit !== undefined && unit === UNITS.get(other.lower);
}

export function isNumber(token: Token): boolean {
  return amountsIn([token]).length > 0;
}

/** Numbers that stand in another part of the evidence than the one that the claim repeats, which has its own. */
export function misplacedNumbers(
  said: readonly Token[],
  cited: readonly Token[],
  context: readonly Token[],
): string[] {
  const parts = sentencesOf(cited, /^[.!?;]$/);
  return sentencesOf(said, /^[.!?;]$/).flatMap((sentence) => {
    const amounts = amountsIn(sentence);
    const words = sentence.filter((token) => token.stem !== '' && !isNumber(token));
    const best = bestSentence(words, parts);
    const shared = words.filter(({ stem }) => best.some((token) => token.stem === stem)).length;
    const own = amountsIn(best);
    if (shared < Math.max(2, words.length / 2) || own.length === 0) return [];
    if (own.some(({ value }) => amounts.some((amount) => amount.value === value))) return [];
    // With the same unit it is compared below, and out of the question it needs no evidence.
    const known = [...amountsIn(cited).filter(({ unit }) => unit !== undefined), ...amountsIn(context)];
    return amounts
      .filter(({ value, unit }) => !known.some((one) => one.value === value && one.unit === unit))
      .flatMap(({ raw }) => (raw.toLowerCase() === 'one' ? [] : [`the number ${raw}`]));
  });
}

/** Numbers and units of a claim that its evidence does not have. */
export function unknownAmounts(
  said: readonly Token[],
  known: readonly Token[],
  cited: readonly Token[],
): string[] {
  const amounts = amountsIn(known);
  const problems: string[] = [];
  for (const { value, unit, next, raw } of amountsIn(said)) {
    const same = amounts.filter((amount) => amount.value === value);
    // `one` is a pronoun more often than a number: it counts where the evidence counts the same thing otherwise.
    const pronoun = raw.toLowerCase() === 'one';
    if (same.length === 0 && (!pronoun || amounts.some((amount) => amount.next === next && next !== ''))) {
      problems.push(`the number ${raw}`);
    } else if (
      same.length > 0 &&
      same.every((amount) => amount.next !== next) &&
      amounts.some((amount) => amount.next === next && /\p{L}{3}/u.test(next))
    ) {
      // The evidence counts the same thing, and has this number for something else.
      problems.push(`the number ${raw}`);
    } else if (unit !== undefined && same.length > 0) {
      const units = same.map((amount) => amount.unit);
      if (!units.includes(unit) && (units.some(Boolean) || !hasUnit(known, unit)))
        problems.push(`the unit ${next}`);
    }
  }
  for (const [index, { lower }] of said.entries()) {
    const unit = AMBIGUOUS_UNITS.has(lower) ? undefined : UNITS.get(lower);
    if (unit === undefined || amountsIn(said.slice(Math.max(0, index - 2), index)).length > 0) continue;
    // Only where the evidence measures in another unit: a word such as "daily" may have become "day".
    if (
      !hasUnit(known, unit) &&
      cited.some((token) => UNITS.has(token.lower) && !AMBIGUOUS_UNITS.has(token.lower))
    ) {
      problems.push(`the unit ${lower}`);
    }
  }
  return problems;
}

function hasUnit(tokens: readonly Token[], unit: string): boolean {
  return (
    tokens.some(({ lower }) => UNITS.get(lower) === unit) ||
    amountsIn(tokens).some((one) => one.unit === unit)
  );
}
