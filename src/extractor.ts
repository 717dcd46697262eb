/*
 * The extractor: a process that makes text of PDF, DOCX, HTML and notebooks, and may be killed over it
 * (src/corpus/extract/extractor.ts). It is a bundle of its own, so that it starts with nothing but what it needs.
 */
import { serveExtractor } from './corpus/extract/index.ts';

serveExtractor();
