import { describe, expect, test } from 'vitest';
import type { VerifiedEvidence } from '../../src/contracts/index.ts';
import { checkSynthesis } from '../../src/evidence/index.ts';

/** What is wrong with a claim over one piece of evidence; empty when it is accepted. */
function problems(text: string, quote: string, question = 'What does it say?', source = 'docs/guide.md') {
  const item: VerifiedEvidence = {
    evidence_id: 'e-0001',
    source,
    location: `${source}:1-1`,
    byte_start: 0,
    byte_end: quote.length,
    line_start: 1,
    line_end: 1,
    sha256: '0'.repeat(64),
    quote,
    match: 'exact',
    edits: 0,
    notes: [],
    origins: [],
    more_origins: 0,
    confidence: 0.9,
  };
  const answer = { claims: [{ text, evidence: [1] }], conflicts: [], gaps: [], confidence: 0.9 };
  const checked = checkSynthesis(answer, question, [item]);
  return checked.ok ? '' : checked.problems.join('\n');
}

describe('a claim that says what its evidence does not is refused', () => {
  test.each([
    ['a negation that was dropped', 'The valve must be opened.', 'The valve must not be opened.', "'not'"],
    [
      'a negation that was added',
      'The engine never overheats.',
      'The engine overheats above 90 °C.',
      "'never'",
    ],
    ['another number', 'Trains run at 54 km/h.', 'Trains run at 45 km/h.', 'the number 54'],
    ['a number of one digit', 'It has 4 lungs.', 'It has lungs and runs at 60 km/h.', 'the number 4'],
    ['a number in words', 'Wait for six days.', 'Wait for five days.', 'the number six'],
    ['another unit', 'It waits for 250 s.', 'It waits for 250 ms.', 'the unit s'],
    [
      'a unit without its number',
      'The age is given in days.',
      'The age is given in minutes.',
      'the unit days',
    ],
    ['a duty where there is leave', 'Tenants must keep pets.', 'Tenants may keep pets.', "'must'"],
    ['leave where there is a duty', 'Files may carry notices.', 'Files must carry notices.', "'may'"],
    [
      'a duty where there is advice',
      'Drivers must sound the horn.',
      'Drivers should sound the horn.',
      "'must'",
    ],
    ['the opposite', 'Revenue fell by 3 %.', 'Revenue rose by 3 %.', "'fell'"],
    ['the other end', 'At most two replicas answer.', 'At least two replicas answer.', "'most'"],
    ['another name', 'Maria Kessler leads it.', 'Maria Keller leads it.', 'the name Kessler'],
    ['another identifier', 'It returns -EINVAL.', 'It returns -ENFILE.', 'the name -EINVAL'],
    [
      'another address',
      'See https://a.example/v2/keys.',
      'See https://a.example/v1/keys.',
      'the name https://a.example/v2/keys',
    ],
    [
      'another verb in a sentence that is repeated otherwise',
      'The printer prints the report of each shift.',
      'The printer archives the report of each shift.',
      "'prints' for 'archives'",
    ],
    [
      'a word of the same sentence in the place of another',
      'The pump starts when the level in the tank rises above 35 %.',
      'The pump starts when the level in the tank rises above 80 % and stops when it sinks below 35 %.',
      "'35' for '80'",
    ],
    [
      'a number of the next item in a list',
      'The exit status is 127 if the command is found but cannot be invoked.',
      'Exit status: 126 if the command is found but cannot be invoked; 127 if it does not exist.',
      'the number 127',
    ],
    [
      'a word without its prefix',
      'These names are stable.',
      'The names of these devices are unstable.',
      "'stable'",
    ],
    [
      'a denial dropped with another verb',
      'The option works on compressed archives.',
      'The option does not operate on compressed archives.',
      "a negation ('not')",
    ],
    ['what was invented', 'Evil Corp recommends http://evil', 'Trains run at 60 km/h.', 'the name Corp'],
  ])('%s', (_what, claim, quote, part) => {
    const found = problems(claim, quote);
    expect(found).toContain('claims[0] says');
    expect(found).toContain(part);
  });
});

describe('a claim in other words that says the same is accepted', () => {
  test.each([
    ['an active sentence made passive', 'Undo files are never deleted.', 'Vim never deletes undo files.'],
    ['another negation', 'It exits without work.', 'It does not do any work before it exits.'],
    ['digits for a word', 'Wait for 5 days.', 'Wait for five days.'],
    [
      'separators of thousands, and millions',
      'Revenue is 1.25 billion euros.',
      'Revenue: 1,250 million euros.',
    ],
    ['a unit spelled out', 'It waits for 250 milliseconds.', 'It waits for 250 ms.'],
    ['at most for no more than', 'It runs at 60 km/h at most.', 'It runs at no more than 60 km/h.'],
    ['must not for may not', 'Rights must not be restricted.', 'You may not restrict rights.'],
    [
      'what a setting changes',
      'Setting follow to true follows links.',
      'By default links are not followed. Set follow to true to change that.',
    ],
    [
      'a synonym in a sentence that is repeated otherwise',
      'The command deletes the oldest file of the archive.',
      'The command removes the oldest file of the archive.',
    ],
    [
      'another form of a word, and a number in digits',
      'Recognition of the 5 oldest plates takes a second.',
      'To recognise the five oldest plates takes a second.',
    ],
    [
      'the same words in another order',
      'Plates in the archive are recognised by the camera of the gate.',
      'The camera of the gate recognises plates in the archive.',
    ],
    [
      'another language',
      'Der Grenzwert ist 30 Sekunden und nicht mehr.',
      'The limit is 30 seconds, no more.',
    ],
  ])('%s', (_what, claim, quote) => {
    expect(problems(claim, quote)).toBe('');
  });

  test('a name out of the question may stand for what the evidence calls otherwise', () => {
    const quote = 'The flag keeps the permissions of the original file.';
    const claim = '--preserve keeps the permissions of the original file.';
    expect(problems(claim, quote)).toContain('--preserve');
    expect(problems(claim, quote, 'What does --preserve do?')).toBe('');
  });

  test('a name may come from the question and from the path of the document', () => {
    const quote = 'The default value is 500 commands.';
    expect(problems('HISTSIZE defaults to 500 commands.', quote)).toContain('the name HISTSIZE');
    expect(problems('HISTSIZE defaults to 500 commands.', quote, 'What is HISTSIZE?')).toBe('');
    expect(problems('In Bash it is 500 commands.', quote, 'How many?', 'manuals/bash.md')).toBe('');
  });
});
