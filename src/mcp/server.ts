import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestParamsSchema,
  CompleteRequestParamsSchema,
  GetPromptRequestParamsSchema,
  PaginatedRequestParamsSchema,
  ReadResourceRequestParamsSchema,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { readResource } from '../resources/index.ts';
import { TOOLS } from '../tools/index.ts';
import { VERSION } from '../version.ts';
import { complete } from './complete.ts';
import { checkParams, logError, protocolErrors } from './errors.ts';
import { instructionsFor } from './instructions.ts';
import { listResources, listTemplates } from './resource-list.ts';
import { answerCall, describeTools } from './tool-calls.ts';

/** A page of a resource, bytes: readers get up to 24 kB. */
const RESOURCE_PAGE_BYTES = 22_000;

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const Page = PaginatedRequestParamsSchema.optional();

/**
 * The MCP server over one root: tools, resources, prompts, completion. The SDK's low-level `Server` is used, because
 * schemas, results and pages are ours to make.
 *
 * @param track is given every answer that is being made, so that a shutdown can let the last ones go out
 */
export function createServer(root: string, track: <Value>(answer: Promise<Value>) => Promise<Value>): Server {
  const server = new Server(
    { name: 'rlm', title: 'rlm-mcp', version: VERSION },
    {
      capabilities: { tools: {}, resources: { listChanged: true }, prompts: {}, completions: {} },
      instructions: instructionsFor(TOOLS),
      // The SDK would make an Ajv for elicitation, which we do not use: 10 ms of every start.
      jsonSchemaValidator: {
        getValidator() {
          throw new Error('elicitation is not used');
        },
      },
    },
  );
  const handle = <Params>(
    method: string,
    params: z.ZodType<Params>,
    answer: (params: Params, extra: Extra) => ServerResult | Promise<ServerResult>,
  ) => {
    // The parameters are checked here: what is wrong with them would be an internal error to the SDK.
    const request = z.object({ method: z.literal(method), params: z.unknown().optional() });
    server.setRequestHandler(request, (given, extra) =>
      track(protocolErrors(async () => answer(checkParams(method, params, given.params), extra))),
    );
  };

  handle('tools/list', Page, () => ({ tools: describeTools() }));
  handle('tools/call', CallToolRequestParamsSchema, (params, extra) =>
    answerCall(params.name, params.arguments ?? {}, {
      root,
      signal: extra.signal,
      maxWaitSec: maxWaitSec(server.getClientVersion()?.name),
      progress: progressOf(params._meta?.progressToken, extra),
    }),
  );
  handle('resources/list', Page, (params) => ({ ...listResources(root, params?.cursor) }));
  handle('resources/templates/list', Page, () => ({ resourceTemplates: listTemplates() }));
  handle('resources/read', ReadResourceRequestParamsSchema, async ({ uri }) => ({
    contents: contentsOf(uri, await readResource(uri, { root, maxBytes: RESOURCE_PAGE_BYTES })),
  }));
  handle('prompts/list', Page, async () => ({ prompts: (await import('./prompts.ts')).listPrompts() }));
  handle('prompts/get', GetPromptRequestParamsSchema, async (params) => ({
    ...(await import('./prompts.ts')).getPrompt(params.name, params.arguments ?? {}),
  }));
  handle('completion/complete', CompleteRequestParamsSchema, async ({ ref, argument, context }) => ({
    completion:
      ref.type === 'ref/prompt'
        ? {
            ...(await (
              await import('./prompts.ts')
            ).completePrompt(root, ref.name, argument.name, argument.value)),
          }
        : { ...(await complete(root, argument.name, argument.value, context?.arguments ?? {})) },
  }));
  return server;
}

/** Seconds after which a client ends a call, less some for the answer; Codex: 300, Claude: 120, others mostly 60. */
function maxWaitSec(clientName = ''): number {
  if (/codex/i.test(clientName)) return 280;
  return /claude/i.test(clientName) ? 110 : 45;
}

/** Markdown for people beside JSON for programs. */
function contentsOf(uri: string, { markdown, json, next }: Awaited<ReturnType<typeof readResource>>) {
  const contents: { uri: string; mimeType: string; text: string }[] = [];
  const more = next === null ? '' : `\n\n(continues at ${next})\n`;
  if (markdown !== undefined) contents.push({ uri, mimeType: 'text/markdown', text: markdown + more });
  if (json !== undefined) contents.push({ uri, mimeType: 'application/json', text: JSON.stringify(json) });
  return contents;
}

/** Tells a client that listens how far its call is. Progress must rise from one word to the next, says the protocol. */
function progressOf(progressToken: string | number | undefined, extra: Extra) {
  let last = -1;
  return (report: { progress: number; total?: number; message: string }) => {
    if (progressToken === undefined || report.progress <= last) return;
    last = report.progress;
    extra
      .sendNotification({ method: 'notifications/progress', params: { progressToken, ...report } })
      .catch((error) => logError(error, 'progress was not sent'));
  };
}
