import { type Stats, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { JobRecord, type JobSpan, RUN_FILES, type WorkParams } from '../contracts/index.ts';
import { type History, IdIndex } from '../dispatch/index.ts';
import { messageOf, RlmError } from '../errors.ts';
import { insideOf, type JsonlLine, parseLine, readLineBatches } from '../files/index.ts';
import { compileSchema, requireExtractive, standardSchemaPath } from './schema.ts';

/** Where a jobs file's paths start and where they may lead. */
export interface JobPaths {
  runDir: string;
  baseDir: string;
  allowedRoots: string[] | null;
}

/** A job with its paths resolved and checked. */
export interface Job {
  record: JobRecord;
  chunkPath: string;
  /** The record's spans with absolute paths; none when the chunk is the whole file. */
  spans: JobSpan[];
  schemaPath: string;
  outputPath: string;
}

/** Part of file names (`prompts/<job_id>.attempt1.txt`), hence no separators and no leading dot. */
const JOB_ID = /^[A-Za-z0-9_][A-Za-z0-9._@+=,-]{0,127}$/;
const REQUIRED = ['chunk_id', 'chunk_path', 'job_id', 'output_path', 'question', 'sandbox'] as const;
const OWN_FILES: ReadonlySet<string> = new Set([
  RUN_FILES.run,
  RUN_FILES.activity,
  RUN_FILES.events,
  RUN_FILES.jobs,
  RUN_FILES.summary,
  RUN_FILES.results,
  RUN_FILES.driverLock,
  RUN_FILES.cancel,
  RUN_FILES.logs,
  RUN_FILES.prompts,
]);

/**
 * Checks a whole jobs file, streaming, before anything runs. Memory: 45 bytes a job.
 *
 * @param worker who will answer: the extractive reader cannot follow a schema of the user's own
 * @returns the number of jobs
 * @throws RlmError `usage` (or `forbidden`) naming the first line that is wrong
 */
export async function checkJobs(
  file: string,
  paths: JobPaths,
  worker?: WorkParams['worker'],
): Promise<number> {
  let ids = new IdIndex();
  let outputs = new IdIndex();
  const checked = { chunk: '', span: '', schema: '' };
  let count = 0;
  const resolver = pathResolver(paths);
  for await (const batch of readLineBatches(file)) {
    for (const line of batch) {
      const job = readJob(line, resolver);
      if (job === undefined) continue;
      if (count === 0) {
        // Made large enough at once: an index that grows leaves its smaller selves to the garbage collector.
        const expected = expectedJobs(file, batch);
        ids = new IdIndex(expected);
        outputs = new IdIndex(expected);
      }
      count += 1;
      const { job_id } = job.record;
      const twin = ids.get(job_id);
      if (twin !== undefined) throw atLine(line, `duplicate job_id '${job_id}' (first on line ${twin})`);
      ids.set(job_id, line.line);
      const sharer = outputs.get(job.outputPath);
      if (sharer !== undefined) {
        throw atLine(line, `output_path '${job.record.output_path}' is also that of line ${sharer}`);
      }
      outputs.set(job.outputPath, line.line);
      if (job.spans.length === 0 && job.chunkPath !== checked.chunk) {
        requireFile(line, 'chunk_path', job.chunkPath);
        checked.chunk = job.chunkPath;
      }
      for (const { path } of job.spans) {
        if (path !== checked.span) requireFile(line, 'spans.path', path);
        checked.span = path;
      }
      if (job.schemaPath !== checked.schema) checkSchema(line, job.schemaPath, worker);
      checked.schema = job.schemaPath;
    }
  }
  if (count === 0) {
    throw new RlmError('usage', `no jobs in ${file}`, {
      hint: 'Write one job a line, each a JSON object with job_id, chunk_id, chunk_path, question and output_path.',
    });
  }
  return count;
}

/** A job's line with the shortest of names, bytes: a file of blank lines promises no more jobs than it has room for. */
const LEAST_JOB_BYTES = 120;

/** About how many jobs a file has, from the lines read so far. */
function expectedJobs(file: string, batch: JsonlLine[]): number {
  const { size } = statSync(file);
  const bytes = (batch.at(-1)?.end ?? 0) - (batch.at(0)?.start ?? 0);
  return Math.ceil(size / Math.max(LEAST_JOB_BYTES, bytes / batch.length));
}

/** Streams the jobs of a file that was checked. */
export async function* readJobs(file: string, paths: JobPaths): AsyncGenerator<Job> {
  const resolver = pathResolver(paths);
  for await (const batch of readLineBatches(file)) {
    for (const line of batch) {
      const job = readJob(line, resolver);
      if (job !== undefined) yield job;
    }
  }
}

/** Streams ids and output paths of a file that was checked; nothing else of its lines is looked at again. */
export async function* readJobIds(file: string): AsyncGenerator<{ id: string; output: string }> {
  for await (const batch of readLineBatches(file)) {
    for (const line of batch) {
      const value = parseLine(line);
      if (value === undefined) continue;
      const { job_id: id, output_path: output } = Object(value);
      if (typeof id !== 'string' || typeof output !== 'string') throw atLine(line, 'not a job any more');
      // Trimmed, as `JobRecord` has them.
      yield { id: id.trim(), output: output.trim() };
    }
  }
}

/** Counts the jobs whose results earlier drivers accepted. */
export async function countAccepted(jobs: AsyncIterable<{ id: string }>, history: History): Promise<number> {
  let count = 0;
  for await (const { id } of jobs) if (history.accepted.get(id)) count += 1;
  return count;
}

/** One line to a job; undefined for a blank line. */
function readJob(line: JsonlLine, resolver: PathResolver): Job | undefined {
  const record = readRecord(line);
  return record === undefined ? undefined : resolvePaths(record, line, resolver);
}

function readRecord(line: JsonlLine): JobRecord | undefined {
  const value = parseLine(line);
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw atLine(line, 'not a JSON object');
  const missing = REQUIRED.filter((field) => !(field in value));
  if (missing.length > 0) throw atLine(line, `missing required fields: ${missing.join(', ')}`);
  const sandbox: unknown = Reflect.get(value, 'sandbox');
  if (sandbox !== 'read-only') {
    throw atLine(
      line,
      `sandbox must be 'read-only' for chunk jobs (got ${shown(sandbox).replaceAll('"', "'")})`,
    );
  }
  const timeout: unknown = Reflect.get(value, 'timeout_sec');
  if (timeout !== undefined && !(typeof timeout === 'number' && Number.isInteger(timeout) && timeout > 0)) {
    throw atLine(line, `timeout_sec must be an integer > 0 (got ${shown(timeout)})`);
  }
  const parsed = JobRecord.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw atLine(line, `${issue?.path.join('.')}: ${issue?.message}`);
  }
  const record = parsed.data;
  if (!JOB_ID.test(record.job_id)) {
    throw atLine(
      line,
      `job_id '${record.job_id}' must match ${JOB_ID.source}: it becomes part of file names`,
    );
  }
  return record;
}

function resolvePaths(record: JobRecord, line: JsonlLine, resolver: PathResolver): Job {
  try {
    const outputPath = resolver.output(record.output_path);
    const [top = '', below] = outputPath.slice(resolver.runDir.length + 1).split(sep);
    if (top === '' || OWN_FILES.has(top) || (top === RUN_FILES.subresults && below === undefined)) {
      throw new RlmError('forbidden', `output_path '${record.output_path}' is one of the run's own files`);
    }
    if (outputPath.length > MAX_NAME_BYTES / 3) requireNames(outputPath);
    return {
      record,
      outputPath,
      chunkPath: resolver.readable(record.chunk_path, 'chunk_path'),
      spans: (record.spans ?? []).map((span) => ({
        ...span,
        path: resolver.readable(span.path, 'spans.path'),
      })),
      schemaPath:
        record.schema_path === undefined
          ? standardSchemaPath()
          : resolver.readable(record.schema_path, 'schema_path'),
    };
  } catch (error) {
    if (error instanceof RlmError) throw atLine(line, error.message, error);
    throw error;
  }
}

/** Longest name of a file, and path, that file systems take. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 4000;

/** Refuses a name that the disk will not take before the answer is paid for. */
function requireNames(path: string): void {
  const longest = Math.max(...path.split(sep).map((name) => Buffer.byteLength(name)));
  if (longest <= MAX_NAME_BYTES && Buffer.byteLength(path) <= MAX_PATH_BYTES) return;
  throw new RlmError(
    'usage',
    `output_path is too long: a name in it may have ${MAX_NAME_BYTES} bytes, all of it ${MAX_PATH_BYTES}`,
  );
}

/** Resolves and checks the paths of jobs. */
interface PathResolver {
  runDir: string;
  output(path: string): string;
  readable(path: string, what: string): string;
}

function pathResolver({ runDir, baseDir, allowedRoots }: JobPaths): PathResolver {
  const insideRun = insideOf(runDir);
  const roots = [insideRun, ...(allowedRoots ?? []).map((root) => insideOf(root))];
  return {
    runDir,
    output: (path) => insideRun(path, 'output_path'),
    readable(path, what) {
      if (allowedRoots === null) return resolve(baseDir, path);
      let refusal: unknown;
      for (const inside of roots) {
        try {
          return inside(path, what, baseDir);
        } catch (error) {
          refusal = error;
        }
      }
      throw refusal;
    },
  };
}

function requireFile(line: JsonlLine, field: string, path: string): void {
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw atLine(line, `${field}: ${messageOf(error)}`);
  }
  if (stat === undefined) throw atLine(line, `${field} does not exist: ${path}`);
  if (!stat.isFile()) throw atLine(line, `${field} is not a file: ${path}`);
}

function checkSchema(line: JsonlLine, path: string, worker: WorkParams['worker'] | undefined): void {
  requireFile(line, 'schema_path', path);
  try {
    const schema = compileSchema(path);
    if (worker === 'extractive') requireExtractive(schema);
  } catch (error) {
    throw atLine(line, messageOf(error), error instanceof RlmError ? error : undefined);
  }
}

/** A value that is not what it should be, for an error. */
function shown(value: unknown): string {
  // Not what is in it: it may be nested deeper than JSON.stringify goes.
  return typeof value === 'object' && value !== null ? 'an object or a list' : String(JSON.stringify(value));
}

/** A line may be of 16 MiB, and an error quotes what is wrong in it. */
const MAX_ERROR_CHARS = 1000;

function atLine(line: JsonlLine, message: string, cause?: RlmError): RlmError {
  const text = message.length > MAX_ERROR_CHARS ? `${message.slice(0, MAX_ERROR_CHARS)}…` : message;
  return new RlmError(cause?.code ?? 'usage', `line ${line.line}: ${text}`, {
    hint: cause?.hint,
  });
}
