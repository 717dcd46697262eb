import type { Failure, Usage } from '../../contracts/index.ts';
import type { WorkRequest } from '../worker.ts';

/** An endpoint as the configuration names it. The key itself is only ever read from the environment. */
export interface HttpEndpoint {
  api: 'openai' | 'anthropic';
  /** Up to and without `/chat/completions` or `/v1/messages`. */
  base_url?: string | undefined;
  key_variable?: string | undefined;
  max_output_tokens: number;
}

/** What a provider's answer comes to. */
export interface ModelReply {
  text: string;
  usage: Usage;
  model: string | null;
  /** Why it cannot be an answer: cut at its limit, refused. */
  failure?: Failure;
  /** For the log. */
  raw: unknown;
}

/** One provider's way to ask its models. Throws what its SDK throws; `classify` knows it. */
export interface ModelApi {
  ask(request: WorkRequest, signal: AbortSignal): Promise<ModelReply>;
  classify(error: unknown): Failure | undefined;
}
