import { readFileSync } from 'node:fs';

/** How deep workers inside workers may go; a worker's environment carries its own depth here. */
export const DEPTH_VARIABLE = 'RLM_DEPTH';
/** Names the run directory that a worker process belongs to, so that survivors of a crash can be found. */
export const RUN_VARIABLE = 'RLM_WORKER_OF';

const ALLOWED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TERM',
  'TMPDIR',
  'TEMP',
  'TMP',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'CODEX_CA_CERTIFICATE',
  'REQUESTS_CA_BUNDLE',
  'SystemRoot',
  'APPDATA',
  'LOCALAPPDATA',
  'USERPROFILE',
  'PATHEXT',
  'ComSpec',
]);

/**
 * The environment of a worker: an allow-list, never the whole of ours.
 *
 * @param extra names a worker's own login needs (`OPENAI_API_KEY`), or exact values (`CODEX_HOME=…`)
 */
export function workerEnvironment(
  extra: { names?: readonly string[]; values?: Record<string, string> },
  source: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const environment: Record<string, string> = {};
  const names = new Set(extra.names);
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined) continue;
    if (ALLOWED.has(name) || name.startsWith('LC_') || names.has(name)) environment[name] = value;
  }
  return { ...environment, ...extra.values };
}

/** As `workerEnvironment` for calls that differ in nothing but their marks: reading our own takes 0.2 ms. */
export function environmentByMarks(
  names: readonly string[],
  values: Record<string, string> = {},
): (marks: Record<string, string>) => Record<string, string> {
  const made = new WeakMap<Record<string, string>, Record<string, string>>();
  return (marks) => {
    const known = made.get(marks) ?? workerEnvironment({ names, values: { ...values, ...marks } });
    made.set(marks, known);
    return known;
  };
}

/**
 * The depth this process runs at: 0 for one that no worker started. Where the system tells (Linux), the environments
 * of the processes above count too: Codex gives the MCP servers of a worker none of its own.
 */
export function currentDepth(source: NodeJS.ProcessEnv = process.env): number {
  ancestorsDepth ??= depthOfAncestors();
  return Math.max(depthIn(source[DEPTH_VARIABLE]), ancestorsDepth);
}

/** Asked once: who started us stays the same, and may be gone later. */
let ancestorsDepth: number | undefined;

function depthIn(value: string | undefined): number {
  const depth = Number(value ?? '0');
  return Number.isInteger(depth) && depth >= 0 ? depth : 0;
}

function depthOfAncestors(): number {
  if (process.platform !== 'linux') return 0;
  let depth = 0;
  try {
    for (let pid = process.ppid; pid > 1; pid = parentOf(pid)) {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const mark = variables.find((variable) => variable.startsWith(`${DEPTH_VARIABLE}=`));
      depth = Math.max(depth, depthIn(mark?.slice(DEPTH_VARIABLE.length + 1)));
    }
  } catch {
    // Gone by now, or another user's: no worker of ours is above it.
  }
  return depth;
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name may hold spaces and parentheses: fields are counted from the last one.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
