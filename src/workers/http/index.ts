export type { HttpEndpoint } from './api.ts';
export { createHttpWorker } from './http.ts';
