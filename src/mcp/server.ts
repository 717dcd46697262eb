import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { RlmError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { logError } from './log.ts';
import { complete, listResources, listTemplates, readResource } from './resources/index.ts';
import { answerCall, describeTools } from './tool-calls.ts';

/** The protocol's code for a resource that is not there. */
const RESOURCE_NOT_FOUND = -32002;

/**
 * The MCP server over one root: tools, resources, completion. The SDK's low-level `Server` is used, because
 * schemas, results and pages are ours to make.
 *
 * @param track is given every tool call, so that a shutdown can let the last ones answer
 */
export function createServer(root: string, track: <Value>(call: Promise<Value>) => Promise<Value>): Server {
  const server = new Server(
    { name: 'rlm', title: 'rlm-mcp', version: VERSION },
    {
      capabilities: { tools: {}, resources: { listChanged: true }, completions: {} },
      instructions: INSTRUCTIONS,
      // The SDK would make an Ajv for elicitation, which we do not use: 10 ms of every start.
      jsonSchemaValidator: {
        getValidator() {
          throw new Error('elicitation is not used');
        },
      },
    },
  );

  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: describeTools() }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const progressToken = params._meta?.progressToken;
    return track(
      answerCall(params.name, params.arguments ?? {}, {
        root,
        signal: extra.signal,
        progress(report) {
          if (progressToken === undefined) return;
          extra
            .sendNotification({ method: 'notifications/progress', params: { progressToken, ...report } })
            .catch((error) => logError(error, 'progress was not sent'));
        },
      }),
    );
  });
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }) =>
    protocolErrors(() => listResources(root, params?.cursor)),
  );
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: listTemplates(),
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) =>
    protocolErrors(async () => ({ contents: [{ uri, ...(await readResource(root, uri)) }] })),
  );
  server.setRequestHandler(CompleteRequestSchema, ({ params: { argument, context } }) =>
    protocolErrors(async () => ({
      completion: { ...(await complete(root, argument.name, argument.value, context?.arguments ?? {})) },
    })),
  );
  return server;
}

/** Turns our errors into the protocol's; what is not ours is logged and told as internal. */
async function protocolErrors<Value>(answer: () => Value | Promise<Value>): Promise<Value> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof RlmError && error.code !== 'internal') {
      const code = error.code === 'not_found' ? RESOURCE_NOT_FOUND : ErrorCode.InvalidParams;
      throw new McpError(code, error.hint === undefined ? error.message : `${error.message}. ${error.hint}`);
    }
    await logError(error, 'a resource could not be answered');
    throw new McpError(
      ErrorCode.InternalError,
      'rlm failed for a reason of its own; see the log of the server',
    );
  }
}
