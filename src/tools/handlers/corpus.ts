import { configuredEmbeddings, search as find, openCorpus, readSpan } from '../../corpus/index.ts';
import { RlmError } from '../../errors.ts';
import { jsonBytes, PAGE_BYTES, readResource, rowsOfOnePage } from '../../resources/index.ts';
import { truncate } from '../../text/index.ts';
import type { read } from '../read.ts';
import type { search } from '../search.ts';
import type { Handler, ToolContext } from '../tool.ts';

export const handleSearch: Handler<typeof search> = async (input, context) => {
  const run = context.openRun(input.run_id);
  const corpus = await openCorpus(run.dir);
  const embeddings = configuredEmbeddings(context.root, context.config.values);
  const results = await find(
    corpus,
    input.queries.map((text) => ({ text, expandedTerms: input.expanded_terms })),
    {
      mode: input.mode,
      topK: input.top_k,
      signal: context.signal,
      ...(embeddings === undefined ? {} : { embeddings }),
    },
  );
  const room = PAGE_BYTES / results.length - 500;
  return {
    results: results.map(({ query, mode, matching_chunks, hits, notes }) => {
      const rows = hits.map((hit) => ({
        ...hit,
        matched: hit.matched.slice(0, 8).map((term) => truncate(term, 40)),
        preview: truncate(hit.preview, 600),
      }));
      const shown = rowsOfOnePage(rows, room).map((row) => fitted(row, room));
      const said = notes.slice(0, 2).map((note) => truncate(note, 120));
      return {
        // Ten of them in a script of three bytes a character must fit a result too.
        query: truncate(query, results.length > 5 ? 60 : 100),
        mode,
        matching_chunks,
        hits: shown,
        hits_cut: hits.length - shown.length,
        notes: said,
      };
    }),
  };
};

/** The one hit that stays however little room there is: its preview gives way. */
function fitted<Hit extends { preview: string }>(hit: Hit, room: number): Hit {
  let { preview } = hit;
  while (preview.length > 80 && jsonBytes({ ...hit, preview }) > room)
    preview = truncate(preview, preview.length >> 1);
  return { ...hit, preview };
}

export const handleRead: Handler<typeof read> = async (input, context) => {
  const { root, openRun } = context;
  if (input.uri !== undefined) {
    const page = await readPage(input.uri, { root, openRun });
    return {
      uri: input.uri,
      ...(page.markdown === undefined ? { data: page.json } : { text: page.markdown }),
      next: page.next === null ? [] : [{ tool: 'rlm_read', args: { uri: page.next }, why: 'The next page.' }],
    };
  }
  if (input.run_id === undefined) throw new RlmError('usage', 'is required, or a uri', { field: 'run_id' });
  const run = openRun(input.run_id);
  const { next, ...piece } = await readPiece(run.dir, input);
  const args = { run_id: run.id, ...next };
  return { ...piece, next: next === null ? [] : [{ tool: 'rlm_read', args, why: 'Reads on.' }] };
};

/** A page that is small enough as JSON, in which quotes and line ends are escaped. */
async function readPage(uri: string, options: Pick<ToolContext, 'root' | 'openRun'>) {
  const page = await readResource(uri, { ...options, maxBytes: PAGE_BYTES });
  const bytes = jsonBytes(page.markdown ?? '');
  if (bytes <= PAGE_BYTES) return page;
  return readResource(uri, { ...options, maxBytes: Math.floor((PAGE_BYTES * PAGE_BYTES * 0.95) / bytes) });
}

async function readPiece(runDir: string, input: Pointer & { max_bytes: number }) {
  const result = await readSpan(runDir, requestOf(input), { maxBytes: input.max_bytes });
  const bytes = jsonBytes(result.text);
  if (bytes <= input.max_bytes * 1.15) return result;
  // Quotes, backslashes and control characters take up to six times their bytes in JSON.
  const maxBytes = Math.floor((input.max_bytes * Buffer.byteLength(result.text)) / bytes);
  return readSpan(runDir, requestOf(input), { maxBytes });
}

interface Pointer {
  chunk_id?: string | undefined;
  source?: string | undefined;
  line_start?: number | undefined;
  line_end?: number | undefined;
  byte_start?: number | undefined;
  byte_end?: number | undefined;
}

function requestOf({ chunk_id, source, line_start, line_end, byte_start, byte_end }: Pointer) {
  if (chunk_id !== undefined && source === undefined) return { chunk_id };
  if (source !== undefined && chunk_id === undefined) {
    if (byte_start !== undefined && line_start === undefined) return { source, byte_start, byte_end };
    if (byte_start === undefined) return { source, line_start: line_start ?? 1, line_end };
  }
  throw new RlmError('usage', 'give a chunk_id, or a source with either lines or bytes');
}
