/**
 * What the server says about itself to a client that connects: at most 2 kB. Codex and Claude search tools by
 * these words (FACTS.md 3), so the words a task would be put in stand here.
 */
export const INSTRUCTIONS = `rlm runs many small worker calls (Codex, Claude, a command, or a built-in extractive reader) over inputs too big for one context: long documents, large repositories, logs, many files. Map-reduce, batch prompts, subagents in parallel, evidence with checked citations. All work is durable: it survives a crash, a closed client and a restart.

Ways through it:
- A batch: write jobs.jsonl (one chunk and one question a line), then rlm_run_batch, rlm_wait until the state is final, read the results from the paths in the result.
- A goal for many agents: rlm_plan (tasks, dependencies, contract), rlm_run_ready (auto_refill: the whole stage), rlm_wait, rlm_reduce_inventory, retries with rlm_spawn_worker, verify tasks, rlm_collect_deferred, rlm_finalize, rlm_archive. Decide by states and paths; a worker's report is read by path, never its log.
- A run that exists: rlm_status without run_id lists runs; with run_id it gives counts, cost, state and what to do next. rlm_resume goes on after a crash, a cancel or a used-up quota; accepted results are never run again. rlm_cancel ends every process of a run.
- Something does not start: rlm_doctor says which workers are installed, what they cost and what would fail.

Rules:
- A tool that starts work returns a run_id at once. Then call rlm_wait (25 s by default, 45 s at most) as often as needed. Ending a call, or this session, does not end the run.
- Results hold counts, paths and rlm:// URIs, not payloads. Read rlm://runs/{run_id}, …/jobs, …/jobs/{job_id} and …/events a page at a time, or open the files.
- States: working, input_required (paused: quota or login; the reason says what to do), completed, failed, cancelled. Failed jobs carry a failure class; read it before trying again.
- Give a budget (max_attempts, max_minutes, max_tokens, max_cost_usd) when cost matters. It is checked before each launch.`;
