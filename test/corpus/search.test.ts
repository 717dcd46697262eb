import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import wabt from 'wabt';
import { ingest, openCorpus, readSpan, search } from '../../src/corpus/index.ts';
import { LITERALS_WASM } from '../../src/corpus/search/literals-wasm.ts';
import { countTerms } from '../../src/corpus/search/scan.ts';
import { commonPrefix, termOf, wordsOf } from '../../src/corpus/search/words.ts';
import { workplace } from './fixtures.ts';

/** A corpus of one paragraph a file, each a chunk of its own. */
async function corpusOf(documents: Record<string, string>): Promise<string> {
  const place = workplace();
  for (const [name, text] of Object.entries(documents)) place.put(name, text);
  await ingest(place.run, ['.'], { base: place.docs });
  return place.run;
}

const OFFICE = {
  'vehicles.md': 'Every automobile is parked behind the depot.\n',
  'money.md': 'Wages are paid on the first working day of the month.\n',
  'access.md': 'An administrator can rescind a token at once.\n',
  'rest.md': 'Staff take their vacation in July.\n',
  'store.md': 'The storage of the pump holds samples until the seal breaks.\n',
  'plants.md': 'The fern in the lobby is watered on Mondays.\n',
};

describe('questions', () => {
  it('finds a passage that says it in other words when it is given those words', async () => {
    const run = await corpusOf(OFFICE);
    const text = 'Who may revoke access keys?';
    const [plain] = await search(run, [text]);
    expect(plain?.hits).toEqual([]);
    const [expanded] = await search(run, [{ text, expandedTerms: ['rescind a token'] }]);
    expect(expanded?.hits).toMatchObject([{ source: 'access.md', matched: ['rescind', 'token'] }]);
  });

  it('finds other forms of a word and words within identifiers', async () => {
    const run = await corpusOf({
      'a.ts': 'export function retryDelayMs(): number { return max_attempts * 2; }\n',
      'b.md': 'Tokens expire; their expiry is logged when deleting them.\n',
    });
    const [delay, expiration, deletion] = await search(run, ['delay of an attempt', 'expiration', 'deleted']);
    expect(delay?.hits[0]).toMatchObject({
      source: 'a.ts',
      matched: expect.arrayContaining(['delay', 'attempts']),
    });
    expect(expiration?.hits[0]?.source).toBe('b.md');
    expect(deletion?.hits[0]?.source).toBe('b.md');
  });

  it('ranks the word itself above terms that a model gave', async () => {
    const run = await corpusOf({
      'own.md': 'The car is red and stands outside.\n',
      'given.md': 'The limousine is red and stands outside.\n',
      'other.md': 'The house is white and stands far away.\n',
    });
    const [result] = await search(run, [{ text: 'car', expandedTerms: ['stretch limousine'] }]);
    expect(result?.hits.map(({ source }) => source)).toEqual(['own.md', 'given.md']);
    expect(result?.expanded).toContain('limousine');
  });

  it('answers a question in Chinese, in Russian and in German', async () => {
    const run = await corpusOf({
      'zh.md': '服务器每天凌晨三点备份数据库。\n',
      'zh2.md': '天气很好，我们去公园散步。\n',
      'ru.md': 'Резервная копия базы создаётся ночью.\n',
      'de.md': 'Die Übergabe erfolgt im Café Müller.\n',
      'utf16.md': 'café au lait\n',
    });
    const results = await search(run, ['数据库什么时候备份？', 'РЕЗЕРВНАЯ копия', 'übergabe müller', '天']);
    expect(results.map(({ hits }) => hits[0]?.source)).toEqual(['zh.md', 'ru.md', 'de.md', 'zh2.md']);
    expect(results[0]?.hits).toHaveLength(1);
  });

  it('serves several questions in one pass with the scores each has alone', async () => {
    const run = await corpusOf(OFFICE);
    const questions = ['tokens', 'vacation in July', 'nothing of the kind: zyzzyva', 'pump seal'];
    const together = await search(run, questions);
    for (const [index, question] of questions.entries()) {
      expect((await search(run, [question]))[0]).toEqual(together[index]);
    }
    expect(together[2]).toMatchObject({ hits: [], matching_chunks: 0 });
  });

  it('searches an empty corpus, and only stop words, without failing', async () => {
    const empty = await corpusOf({ 'empty.txt': '' });
    expect((await search(empty, ['anything']))[0]).toMatchObject({ hits: [], matching_chunks: 0 });
    const run = await corpusOf({ 'who.md': 'Who are you?\n', 'else.md': 'Nothing.\n' });
    expect((await search(run, ['who are you']))[0]?.hits[0]?.source).toBe('who.md');
    await expect(search(run, [' '])).rejects.toMatchObject({ code: 'usage' });
  });

  it('shows context on both sides of the best place, with its lines', async () => {
    const filler = Array.from(
      { length: 60 },
      (_, index) => `Filler sentence number ${index} about nothing.\n`,
    );
    const text = [...filler, 'before it. The turbine bearing failed at dawn. after it\n', ...filler].join('');
    const run = await corpusOf({ 'long.txt': `turbine\n${text}` });
    const [result] = await search(run, ['turbine bearing'], { topK: 1 });
    const hit = result?.hits[0];
    expect(hit?.preview).toMatch(/^….*Filler.*turbine bearing failed.*after it.*Filler.*…$/);
    expect(hit?.preview_line_start).toBeLessThanOrEqual(62);
    expect(hit?.preview_line_end).toBeGreaterThanOrEqual(62);
    expect(hit?.preview.length).toBeLessThan(400);
    const read = await readSpan(run, { source: 'long.txt', line_start: 62, line_end: 62 });
    expect(read.text).toContain('turbine bearing');
  });

  it('notes documents that changed or went away since they were ingested', async () => {
    const place = workplace();
    const path = place.put('a.txt', 'alpha beta\n');
    place.put('b.txt', 'gamma delta\n');
    await ingest(place.run, ['.'], { base: place.docs });
    place.put('a.txt', 'alpha zeta\n');
    const [changed] = await search(place.run, ['alpha']);
    expect(changed?.notes.join()).toMatch(/a\.txt changed since it was ingested/);
    rmSync(path);
    const [gone] = await search(place.run, ['gamma']);
    expect(gone?.hits[0]?.source).toBe('b.txt');
    expect(gone?.notes.join()).toMatch(/not searched: a\.txt/);
  });
});

describe('patterns', () => {
  it('ranks by the number of matches, ignores case only when told, and knows lines', async () => {
    const run = await corpusOf({
      'one.log': 'ERROR 12\nok\n',
      'two.log': 'ERROR 1\nERROR 345\nwarn\n',
      'three.log': 'error 7\n',
    });
    const [numbers, any, line, none] = await search(run, ['^ERROR \\d+$', '(?i)error', '^warn$', 'fatal'], {
      mode: 'regex',
    });
    expect(numbers?.hits.map(({ source, score }) => [source, score])).toEqual([
      ['two.log', 2],
      ['one.log', 1],
    ]);
    expect(any?.matching_chunks).toBe(3);
    expect(line?.hits[0]).toMatchObject({ source: 'two.log', matched: ['warn'] });
    expect(none).toMatchObject({ hits: [], matching_chunks: 0 });
  });

  it('does not miss a match because of the literal text it looks for first', async () => {
    const texts = [
      'colour',
      'color',
      'COLOR',
      'xcolory',
      'a.b',
      'a+b',
      'tab\there',
      'foo(bar)',
      'abcabc',
      'naïve',
      'end',
    ];
    const run = await corpusOf(Object.fromEntries(texts.map((text, index) => [`${index}.txt`, `${text}\n`])));
    const patterns = [
      'colou?r',
      '(?i)color',
      'xc?olory',
      'a\\.b',
      'a\\+b',
      '(abc)+',
      'foo\\(bar\\)',
      '[a-z]nd$',
      'co{1}lor',
      '\\x65nd',
      'na.ve',
      'tab\\s+here',
      'colo(u|)r|end',
    ];
    const results = await search(run, patterns, { mode: 'regex', topK: 50 });
    for (const [index, pattern] of patterns.entries()) {
      const expression = pattern.startsWith('(?i)')
        ? new RegExp(pattern.slice(4), 'mi')
        : new RegExp(pattern, 'm');
      const expected = texts.filter((text) => expression.test(text)).length;
      expect([pattern, results[index]?.matching_chunks]).toEqual([pattern, expected]);
    }
  });

  it.each([
    ['[[:digit:]xyz]end', ['1end', 'zend'], ['aend']],
    ['[^[:alpha:]xyz]end', ['1end'], ['aend']],
    ['[[]x|y[a]end', ['[x', 'yaend'], ['end']],
    ['one{|two}three', ['one{', 'two}three'], ['one']],
    ['([[:digit:]xyz])end', ['1end'], ['aend']],
  ])('knows what a class and a brace are: %s', async (pattern, matching, other) => {
    const texts = [...matching, ...other];
    const run = await corpusOf(Object.fromEntries(texts.map((text, index) => [`${index}.txt`, text])));
    const [result] = await search(run, [pattern], { mode: 'regex' });
    expect(result?.hits.map(({ matched }) => matched[0]).sort()).toEqual([...matching].sort());
  });

  it('ends in linear time on a pattern that would backtrack for ever', async () => {
    const run = await corpusOf({ 'a.txt': `${'a'.repeat(4000)}!\n`.repeat(20) });
    const [result] = await search(run, ['^(a+)+$'], { mode: 'regex' });
    expect(result).toMatchObject({ hits: [], notes: [] });
  });

  it('refuses what is no pattern, or not one of linear time', async () => {
    const run = await corpusOf({ 'a.txt': 'a\n' });
    for (const pattern of ['(', '(a)\\1', '(?=a)']) {
      await expect(search(run, [pattern], { mode: 'regex' })).rejects.toMatchObject({ code: 'usage' });
    }
  });
});

describe('the scan', () => {
  it('counts exactly what reading every word counts', async () => {
    const place = workplace();
    const vocabulary = [
      'memory',
      'Memories',
      'memoir',
      'hope',
      'hoping',
      'hop',
      'éa',
      'naïve',
      'readFile',
      'FILE',
      'file2',
      '漢字',
      '漢',
      '文API文',
      'x',
      'if',
      'sensibility',
      'policies',
      "don't",
      '_file_',
      '😀file',
      'élan',
    ];
    let state = 7;
    const pick = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return vocabulary[state % vocabulary.length] ?? '';
    };
    // More than two blocks, so that words lie across their borders.
    for (const name of ['a.txt', 'b.txt']) {
      let text = '';
      while (text.length < 900_000) text += `${pick()}${state % 5 === 0 ? '\n' : ' '}`;
      place.put(name, text);
    }
    await ingest(place.run, ['.'], { base: place.docs, overlapLines: 3 });
    const corpus = await openCorpus(place.run);
    const terms = [
      'memori',
      'memoir',
      'hope',
      'file',
      'file2',
      '漢字',
      '文',
      'naïve',
      'éa',
      'if',
      'sensibl',
      'api',
      'élan',
    ];
    const tallies = await countTerms(corpus, terms, { yieldIfDue: () => undefined, notes: [] });
    const counted = new Map<string, number>();
    tallies.visit((ordinal, entries, from, to) => {
      for (const entry of entries.subarray(from, to))
        counted.set(`${ordinal} ${terms[entry >>> 16]}`, entry & 0xffff);
    });
    const expected = new Map<string, number>();
    const texts = new Map<string, Buffer>();
    for (let ordinal = 0; ordinal < corpus.spans.count; ordinal += 1) {
      const source = corpus.sources[corpus.spans.source(ordinal)];
      if (source === undefined) continue;
      const text = texts.get(source.file) ?? readFileSync(source.file);
      texts.set(source.file, text);
      const start = corpus.spans.start(ordinal);
      const chunk = text.toString('utf8', start, start + corpus.spans.length(ordinal));
      for (const word of wordsOf(chunk)) {
        if (!terms.includes(word.term)) continue;
        const key = `${ordinal} ${word.term}`;
        expected.set(key, (expected.get(key) ?? 0) + 1);
      }
    }
    expect(expected.size).toBeGreaterThan(200);
    expect(new Map([...counted].sort())).toEqual(new Map([...expected].sort()));
  });

  it('looks for a beginning that all words with the same stem have', () => {
    const text = readdirSync('node_modules/@types/node')
      .filter((name) => name.endsWith('.d.ts'))
      .map((name) => readFileSync(`node_modules/@types/node/${name}`, 'utf8'))
      .join('\n');
    const words = new Set(text.match(/\b[a-z]{3,}\b/g));
    expect(words.size).toBeGreaterThan(3000);
    const wrong: string[] = [];
    for (const word of words) {
      const forms = [word, `${word}s`, `${word}ed`, `${word}ing`, word.replace(/y$/, 'ies')];
      for (const form of forms) if (!form.startsWith(commonPrefix(termOf(form)))) wrong.push(form);
    }
    expect(wrong).toEqual([]);
  });

  it('carries the compiled form of its own source', async () => {
    const path = 'src/corpus/search/literals.wat';
    const module = (await wabt()).parseWat(path, readFileSync(path, 'utf8'), { simd: true });
    expect(LITERALS_WASM).toBe(Buffer.from(module.toBinary({}).buffer).toString('base64'));
  });
});
