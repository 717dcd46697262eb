import { z } from 'zod';
import { SearchHit, SearchMode } from '../contracts/index.ts';
import { offerIndex } from './indexing.ts';
import { cut, jsonBytes, PAGE_BYTES, rowsOfOnePage } from './page.ts';
import { runIdInput } from './report.ts';
import { defineTool } from './tool.ts';

/** A look into the corpus without loading it. */
export const search = defineTool({
  name: 'rlm_search',
  title: 'Search ingested documents',
  description:
    'Searches the documents of a run without loading them: regex, BM25 with word forms and synonyms, vector or hybrid. Several queries in one pass. Each hit has a score, a preview with line numbers and a chunk_id that rlm_read opens.',
  input: z.object({
    run_id: runIdInput,
    queries: z
      .array(z.string().min(1).max(2000))
      .min(1)
      .max(10)
      .describe('Questions or, with mode regex, patterns in RE2 syntax; 1 to 10'),
    mode: SearchMode.default('bm25').describe(
      'bm25 (default); regex; vector and hybrid need an embeddings endpoint in .rlm/config.json',
    ),
    top_k: z.int().positive().max(100).default(10).describe('Hits for each query: 1 to 100, default 10'),
    expanded_terms: z
      .array(z.string().min(1).max(100))
      .max(50)
      .default([])
      .describe(
        'Words the documents may use instead of those of the queries: names, synonyms; at most 50, default none',
      ),
  }),
  output: z.object({
    results: z.array(
      z.object({
        query: z.string(),
        mode: SearchMode,
        engine: z
          .enum(['scan', 'index'])
          .describe('scan: every byte was looked at; index: an index of every word was asked'),
        engine_reason: z.string().describe('Why that one served, and what becomes of an index'),
        matching_chunks: z.int(),
        hits: z.array(SearchHit),
        hits_cut: z
          .int()
          .describe('Hits that had no room here; ask for fewer queries or a smaller top_k to see them'),
        notes: z.array(z.string()),
      }),
    ),
  }),
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  command: {
    positional: ['run_id', 'queries'],
    examples: [
      'search my-documents "how are images extracted" "image formats"',
      'search my-documents "timeout|deadline" --mode regex --top-k 50',
    ],
  },
  async run(input, context) {
    const {
      embeddingsDirectory,
      indexDirectory,
      openCorpus,
      search: find,
    } = await import('../corpus/index.ts');
    const run = context.openRun(input.run_id);
    const corpus = await openCorpus(run.dir);
    const { embeddings } = context.config.values;
    const results = await find(
      corpus,
      input.queries.map((text) => ({ text, expandedTerms: input.expanded_terms })),
      {
        mode: input.mode,
        topK: input.top_k,
        indexDirectory: indexDirectory(context.root),
        signal: context.signal,
        ...(embeddings === undefined
          ? {}
          : {
              embeddings: {
                url: embeddings.url,
                model: embeddings.model,
                cacheDirectory: embeddingsDirectory(context.root),
                ...(embeddings.key_variable === undefined ? {} : { keyVariable: embeddings.key_variable }),
              },
            }),
      },
    );
    const scanned = input.mode !== 'regex' && results.some(({ engine }) => engine === 'scan');
    const offered = scanned ? await offerIndex(context, corpus) : undefined;
    const room = PAGE_BYTES / results.length - 500;
    return {
      results: results.map(({ query, mode, engine, engine_reason, matching_chunks, hits, notes }) => {
        const rows = hits.map((hit) => ({
          ...hit,
          matched: hit.matched.slice(0, 8).map((term) => cut(term, 40)),
          preview: cut(hit.preview, 600),
        }));
        const shown = rowsOfOnePage(rows, room).map((row) => fitted(row, room));
        const said = notes.slice(0, 2).map((note) => cut(note, 120));
        return {
          // Ten of them in a script of three bytes a character must fit a result too.
          query: cut(query, results.length > 5 ? 60 : 100),
          mode,
          engine,
          engine_reason: cut(offered ?? engine_reason, 160),
          matching_chunks,
          hits: shown,
          hits_cut: hits.length - shown.length,
          notes: said,
        };
      }),
    };
  },
});

/** The one hit that stays however little room there is: its preview gives way. */
function fitted<Hit extends { preview: string }>(hit: Hit, room: number): Hit {
  let { preview } = hit;
  while (preview.length > 80 && jsonBytes({ ...hit, preview }) > room)
    preview = cut(preview, preview.length >> 1);
  return { ...hit, preview };
}
