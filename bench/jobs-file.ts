import { writeFileSync } from 'node:fs';

/** Writes jobs about one chunk, `chunk.txt`, with `schema.json`; ids are `j-000000` and so on. */
export function writeJobs(file: string, count: number, question: string): void {
  const lines = Array.from({ length: count }, (_, index) => {
    const id = `j-${String(index).padStart(6, '0')}`;
    return JSON.stringify({
      job_id: id,
      chunk_id: 'c-1',
      chunk_path: 'chunk.txt',
      question,
      output_path: `subresults/${id}.json`,
      schema_path: 'schema.json',
      sandbox: 'read-only',
    });
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
}
