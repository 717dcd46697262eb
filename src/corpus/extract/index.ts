export { serveExtractor } from './serve.ts';
