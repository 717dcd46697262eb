import manifest from '../package.json' with { type: 'json' };

/** The version of this package; the bundle carries it as a constant. */
export const VERSION: string = manifest.version;
