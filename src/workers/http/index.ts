export { createHttpWorker, type HttpEndpoint } from './http.ts';
