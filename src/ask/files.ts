/** Names of an ask's own files, relative to the run directory. */
export const ASK_FILES = {
  state: 'ask/state.json',
  ingest: 'ask/ingest.json',
  preview: 'ask/preview.json',
  expansion: 'ask/expansion.json',
} as const;
