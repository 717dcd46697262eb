/** Where the two files of a reduce lie in a run directory. */
export const REDUCE_FILES = { evidence: 'reduce/evidence.json', coverage: 'reduce/coverage.json' } as const;
