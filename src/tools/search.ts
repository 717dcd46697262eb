import { z } from 'zod';
import { SearchHit, SearchMode } from '../contracts/index.ts';
import { runIdInput } from './inputs.ts';
import { defineTool } from './tool.ts';

/** A look into the corpus without loading it. */
export const search = defineTool({
  name: 'rlm_search',
  title: 'Search ingested documents',
  description:
    'Searches the documents of a run without loading them: regex, BM25 with word forms, vector or hybrid. Several queries in one pass. Each hit has a score, a preview with line numbers and a chunk_id that rlm_read opens.',
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
  example: { run_id: 'my-documents', queries: ['time limit'] },
  output: z.object({
    results: z.array(
      z.object({
        query: z.string(),
        mode: SearchMode,
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
});
