import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AskPreview, AskState, FinalAnswer, IngestReport, RUN_FILES } from '../contracts/index.ts';
import { answerMarkdown, type Reduced, renderAnswer } from '../evidence/index.ts';
import { readTextFile } from '../files/index.ts';
import type { RunHandle } from '../runs/index.ts';
import { readReduced } from './reduce-run.ts';

/** Everything that an ask left behind, as far as it came. */
export interface AskResult {
  answer: FinalAnswer | undefined;
  reduced: Reduced | undefined;
  state: AskState | undefined;
  preview: AskPreview | undefined;
  /** Which documents were read, and which were skipped and why. */
  ingest: IngestReport | undefined;
  /** For a person at a terminal: the answer with its citations, or the preview; empty when there is neither. */
  text: string;
}

/** The answer of a run as Markdown for a client that renders it; empty when there is none. */
export function readAnswerMarkdown(run: RunHandle): string {
  const { answer, reduced } = readAskResult(run);
  return answer === undefined || reduced === undefined
    ? ''
    : answerMarkdown(answer, reduced.evidence, reduced.coverage);
}

/** Reads what an ask wrote. */
export function readAskResult(run: RunHandle): AskResult {
  const read = (name: string): unknown => {
    const path = join(run.dir, name);
    return existsSync(path) ? JSON.parse(readTextFile(path)) : undefined;
  };
  const answer = FinalAnswer.safeParse(read(RUN_FILES.answer)).data;
  const state = AskState.safeParse(read(RUN_FILES.askState)).data;
  const preview = AskPreview.safeParse(read(RUN_FILES.preview)).data;
  const ingest = IngestReport.safeParse(read(RUN_FILES.ingestReport)).data;
  const reduced = answer === undefined ? undefined : readReduced(run.dir);
  const text =
    answer !== undefined && reduced !== undefined
      ? renderAnswer(answer, reduced.evidence, reduced.coverage)
      : preview === undefined
        ? ''
        : previewText(preview);
  return { answer, reduced, state, preview, ingest, text };
}

/** What a question would take: a line, and one of its sample. */
export function previewText(preview: AskPreview): string {
  const { jobs, chunks, prompt_tokens, cost_usd, sample } = preview;
  const cost =
    cost_usd === null ? 'price not known ("prices" in .rlm/config.json)' : `about ${cost_usd.toFixed(4)} USD`;
  const lines = [
    `${counted(jobs, 'job')} over ${counted(chunks, 'chunk')}, about ${prompt_tokens} prompt tokens, ${cost}; expansion, synthesis and follow-ups come on top`,
  ];
  if (sample !== null) {
    const { input_tokens, output_tokens, duration_ms } = sample;
    lines.push(
      `sample of ${sample.jobs}: input ${input_tokens.p50} tokens (p95 ${input_tokens.p95}), output ${output_tokens.p50} (p95 ${output_tokens.p95}), ${duration_ms.p50} ms (p95 ${duration_ms.p95})`,
    );
  }
  return lines.join('\n');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What the last `rlm_ingest` into a run did. */
export function readIngestReport(run: RunHandle): IngestReport {
  return IngestReport.parse(JSON.parse(readTextFile(join(run.dir, RUN_FILES.ingestReport))));
}
