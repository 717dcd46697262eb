import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractText, getDocumentProxy } from 'unpdf';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { EvidenceFile, type VerifiedEvidence } from '../../src/contracts/index.ts';
import { docxOf, pdfOf } from '../corpus/fixtures.ts';
import { rlm } from '../support/rlm.ts';
import { place, temporaryDirectory } from '../support/runs.ts';
import { readAnswer } from './verify-answer.ts';

const PAGES = [
  'The first page is about sails.',
  'The gyroscope of the blue boat was calibrated in Bergen.',
  'The gyroscope of the white boat was calibrated in Kiel.',
];
const CELLS = [
  { cell_type: 'markdown', source: ['# Boats\n', 'All of them.'] },
  { cell_type: 'code', source: 'rotor = 1', outputs: [] },
  { cell_type: 'markdown', source: 'The gyroscope of the red boat was calibrated in Riga.' },
];
const HTML = `<!doctype html><html><head><title>Boats</title><style>p { color: red }</style></head>
<body>
<!-- The gyroscope of no boat was calibrated in a comment. -->
<h1>Boats &amp; more</h1>
<ul>
  <li>Something else.</li>
  <li>The <b>gyro</b>scope of the <a href="#g">green&nbsp;boat</a>
      was calibrated in Gda&#324;sk, by the well-known firm &quot;Rotor, Sons &amp; Co&quot;, on a day in March.</li>
</ul>
<script>const hidden = 'The gyroscope of the grey boat was calibrated in a script.';</script>
</body></html>
`;
const TEXT = 'Boats.\n\nThe gyroscope of the black boat was calibrated in Turku.\n\nThe end.\n';

/** Documents of every kind about boats, and an answer over them. */
async function askAboutBoats(): Promise<{ root: string; runDir: string }> {
  const root = temporaryDirectory();
  const docs = join(root, 'docs');
  place(join(docs, 'boats.txt'), TEXT);
  writeFileSync(join(docs, 'boats.pdf'), pdfOf(PAGES));
  place(join(docs, 'boats.ipynb'), JSON.stringify({ cells: CELLS, nbformat: 4, metadata: {} }));
  place(join(docs, 'boats.html'), HTML);
  writeFileSync(
    join(docs, 'boats.docx'),
    docxOf('Calibration of [boats]', [
      'Nothing here.',
      'The gyroscope of the pink boat was calibrated in Visby.',
    ]),
  );
  const args = ['ask', 'Where was the gyroscope of each boat calibrated?', '--input', 'docs'];
  const exit = await rlm([...args, '--worker', 'extractive', '--run-id', 'asked'], { cwd: root });
  expect(exit.code, exit.stdout + exit.stderr).toBe(0);
  return { root, runDir: join(root, '.rlm/runs/asked') };
}

function evidenceOf(runDir: string): EvidenceFile {
  return EvidenceFile.parse(JSON.parse(readFileSync(join(runDir, 'reduce/evidence.json'), 'utf8')));
}

test('every citation of text, PDF, notebook, HTML and DOCX opens at its words', async () => {
  const { root, runDir } = await askAboutBoats();
  const { items } = evidenceOf(runDir);
  /** The evidence whose quote says this. */
  const about = (words: string): VerifiedEvidence => {
    const found = items.find(({ quote }) => quote.replace(/\s+/g, ' ').includes(words));
    if (found === undefined) throw new Error(`no evidence says '${words}'`);
    return found;
  };
  const cited = readAnswer(runDir).citations.flatMap(({ sources }) => sources);
  expect(items.map(({ location }) => location)).toEqual(expect.arrayContaining(cited));
  expect(cited).toHaveLength(6);

  expect(about('black boat').location).toMatch(/^docs\/boats\.txt:\d+-\d+$/);
  const [, first, last] = /:(\d+)-(\d+)$/.exec(about('black boat').location) ?? [];
  expect(
    TEXT.split('\n')
      .slice(Number(first) - 1, Number(last))
      .join('\n'),
  ).toContain('calibrated in Turku');

  for (const [words, page] of [
    ['blue boat', 2],
    ['white boat', 3],
  ] as const) {
    expect(about(words)).toMatchObject({ location: `docs/boats.pdf#page=${page}`, page });
    const bytes = new Uint8Array(readFileSync(join(root, 'docs/boats.pdf')));
    const pdf = await getDocumentProxy(bytes, { verbosity: 0 });
    expect((await extractText(pdf)).text[page - 1]).toContain(words);
  }

  expect(about('red boat')).toMatchObject({ location: 'docs/boats.ipynb#cell=3', cell: 3 });
  expect(CELLS[2]?.source).toContain('red boat');

  expect(about('pink boat')).toMatchObject({
    location: 'docs/boats.docx#Calibration of [boats]',
    heading: 'Calibration of [boats]',
  });

  const html = about('green');
  expect(html.location).toBe(`docs/boats.html#${html.fragment}`);
  expect(HTML.split('\n')[(html.source_line ?? 0) - 1]).toContain('<h1>Boats');
  // As a browser reads a text fragment: both ends are words of the page, in this order.
  const [start = '', end = ''] = (/^:~:text=(.*)$/.exec(html.fragment ?? '')?.[1] ?? '')
    .split(',')
    .map(decodeURIComponent);
  const page =
    'Boats & more Something else. The gyroscope of the green boat was calibrated in Gdańsk, by the well-known firm "Rotor, Sons & Co", on a day in March.';
  expect(page.startsWith(start) && start !== '', start).toBe(true);
  expect(page.endsWith(end) && end !== '', end).toBe(true);
  expect(html.fragment).not.toMatch(/[\s()<>"]/);
});

test('each citation knows which of several quotes on a page it means', async () => {
  const { runDir } = await askAboutBoats();
  const { items, citations } = evidenceOf(runDir);
  const answer = readAnswer(runDir);
  expect(citations?.map(({ claim_id }) => claim_id)).toEqual(
    answer.citations.map(({ claim_id }) => claim_id),
  );
  for (const [index, { evidence_ids }] of (citations ?? []).entries()) {
    expect(evidence_ids).toHaveLength(1);
    const item = items.find(({ evidence_id }) => evidence_id === evidence_ids[0]);
    expect(answer.citations[index]?.sources).toEqual([item?.location]);
  }
});

test('rlm cite shows a quote in its surroundings, and where every citation is', async () => {
  const { root, runDir } = await askAboutBoats();
  const all = await rlm(['cite', 'asked'], { cwd: root });
  expect(all.stdout).toContain('docs/boats.pdf#page=2\n');
  const number =
    readAnswer(runDir).citations.findIndex(({ sources }) => sources[0]?.startsWith('docs/boats.txt')) + 1;
  const one = await rlm(['cite', 'asked', String(number)], { cwd: root });
  expect(one.stdout).toMatch(
    new RegExp(
      `^\\[${number}\\] docs/boats.txt:\\d-\\d\n> +1 {2}Boats.\n> +2 {2}\n> +3 {2}The gyroscope of the black boat`,
    ),
  );
  expect((await rlm(['cite', 'asked', '99'], { cwd: root })).stderr).toMatch(
    /citation 99: the answer has \d+ citations/,
  );
  const data = await rlm(['cite', runDir, String(number), '--json'], { cwd: root });
  expect(JSON.parse(data.stdout)).toMatchObject({
    run_id: 'asked',
    citations: [
      {
        citation: number,
        state: 'unchanged',
        lines: expect.arrayContaining([expect.objectContaining({ line: 3, quoted: true })]),
      },
    ],
  });
});

test('rlm check-answer says which quotes changed, moved or went away', async () => {
  const { root, runDir } = await askAboutBoats();
  const file = join(runDir, 'out/answer.json');
  const check = async () => {
    const exit = await rlm(['check-answer', file, '--json'], { cwd: root });
    const { quotes } = Check.parse(JSON.parse(exit.stdout));
    const states = Object.fromEntries(
      quotes.map(({ location, state, detail }) => [location, [state, detail]]),
    );
    return { code: exit.code, states, total: quotes.length };
  };
  const before = await check();
  expect(before.code).toBe(0);
  expect(before.total).toBe(6);
  expect(new Set(Object.values(before.states).map(([state]) => state))).toEqual(new Set(['unchanged']));

  place(join(root, 'docs/boats.txt'), `A new line.\n${TEXT}`);
  place(join(root, 'docs/boats.html'), HTML.replace('Gda', 'Sopot, not Gda'));
  rmSync(join(root, 'docs/boats.pdf'));
  const after = await check();
  expect(after.code).toBe(2);
  const text = Object.entries(after.states).find(([location]) => location.startsWith('docs/boats.txt'));
  expect(text?.[1]).toEqual(['moved', 'the words are at lines 2-6 of docs/boats.txt now']);
  const html = Object.entries(after.states).find(([location]) => location.startsWith('docs/boats.html'));
  expect(html?.[1]).toEqual(['changed', 'docs/boats.html has changed since its text was extracted']);
  expect(after.states['docs/boats.pdf#page=2']?.[0]).toBe('gone');
  expect(after.states['docs/boats.ipynb#cell=3']?.[0]).toBe('unchanged');

  const person = await rlm(['check-answer', file], { cwd: root });
  expect(person.stdout).toMatch(/^\d of \d quotes are in their documents as they were\.\n/);
  expect((await rlm(['check-answer', 'docs/boats.txt'], { cwd: root })).code).toBe(1);
});

const Check = z.object({
  quotes: z.array(z.object({ location: z.string(), state: z.string(), detail: z.string().nullable() })),
  problems: z.array(z.string()),
});
