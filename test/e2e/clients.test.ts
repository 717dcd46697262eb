import { expect, onTestFinished, test } from 'vitest';
import { CLAUDE_CLIENT, CLIENTS } from '../support/clients.ts';
import { startModelServer } from '../support/model-server.ts';
import { finishedBatch, jobId, temporaryDirectory } from '../support/runs.ts';

test.each(CLIENTS)(
  '$name as the client calls a tool and reads a resource',
  async (client) => {
    const root = temporaryDirectory();
    const run = finishedBatch(root, { jobs: 3, failed: [jobId(2)] });
    // A model that asks for a run's status, then reads a job of it as a resource, then is done.
    const steps = [
      client.call('rlm_status', { run_id: run.id }),
      client.read(`rlm://runs/${run.id}/jobs/${jobId(2)}`),
    ];
    const server = await startModelServer({
      keyOf: () => 'session',
      reply({ body }) {
        // Clients also ask for titles and the like: only a call that offers MCP is a turn of the session.
        if (!/read_?mcp_?resource/i.test(JSON.stringify(body.tools ?? [])))
          return { kind: 'answer', text: 'ok' };
        const answered =
          JSON.stringify(body).match(/"type":"(function_call_output|tool_result)"/g)?.length ?? 0;
        return steps[answered] ?? { kind: 'answer', text: 'one job failed' };
      },
    });
    onTestFinished(() => server.close());
    // A tool that only reads needs nobody's leave.
    const { code, stdout, stderr } = await client.run(root, server.url, 'How did my batch go?', {
      approve: false,
    });
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('one job failed');
    const bodies = server.calls.map(({ body }) => JSON.stringify(body));
    const seen = bodies.findLast((body) => body.includes('rlm_status')) ?? '';
    expect(seen).toContain(`\\"run_id\\":\\"${run.id}\\"`);
    expect(seen).toContain('invalid_output');
  },
  60_000,
);

test('a prompt of the server is a slash command in Claude', async () => {
  const server = await startModelServer({
    keyOf: () => 'session',
    reply: () => ({ kind: 'answer', text: 'asked' }),
  });
  onTestFinished(() => server.close());
  const { code, stdout, stderr } = await CLAUDE_CLIENT.run(
    temporaryDirectory(),
    server.url,
    '/mcp__rlm__ask docs How do I extract images?',
  );
  expect(code, stdout + stderr).toBe(0);
  const bodies = server.calls.map(({ body }) => JSON.stringify(body));
  const seen = bodies.find((body) => body.includes('Documents: docs\\nQuestion: How\\n')) ?? '';
  // It hands on one word of each argument: the prompt tells the model to take the rest from the command.
  expect(seen).toContain('<command-args>docs How do I extract images?</command-args>');
  expect(seen).toContain('Where the command that I typed says more');
}, 60_000);
