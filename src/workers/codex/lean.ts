import type { CodexCapabilities } from './capabilities.ts';

/*
 * What a worker that answers one question about one chunk does not need. Measured with 0.169 (FACTS 1): the
 * request before the chunk falls from 39 kB to 1.1 kB plus our instructions and schema.
 */

/** Features that no worker uses. `unbounded_connection_retries` would keep a job without a network for ever. */
const UNUSED_FEATURES = [
  'unbounded_connection_retries',
  'plugins',
  'apps',
  'hooks',
  'goals',
  'memories',
  'multi_agent',
  'multi_agent_v2',
  'shell_snapshot',
  'skill_search',
  'tool_suggest',
  'image_generation',
  'view_image',
  'browser_use',
  'computer_use',
];
/** Features that only a worker with tools uses. */
const TOOL_FEATURES = ['shell_tool', 'unified_exec'];

const SETTINGS: Readonly<Record<string, unknown>> = {
  'analytics.enabled': false,
  'history.persistence': 'none',
  web_search: 'disabled',
  project_doc_max_bytes: 0,
  project_root_markers: [],
  'skills.bundled.enabled': false,
  'tools.experimental_request_user_input.enabled': false,
  'tools.update_plan.enabled': false,
  include_apps_instructions: false,
  include_collaboration_mode_instructions: false,
};
/** What tells a model with a shell where it is and what it may do; noise for one without. */
const TOOL_SETTINGS: Readonly<Record<string, unknown>> = {
  include_permissions_instructions: false,
  include_environment_context: false,
  'skills.include_instructions': false,
};

/**
 * The lean profile as arguments, which beat every file: so it holds in a home that is not ours, and nothing
 * in that home is touched. Only features that this version knows are named; it dies of an unknown one.
 */
export function leanArguments(capabilities: CodexCapabilities, tools: boolean): string[] {
  const features = tools ? UNUSED_FEATURES : [...UNUSED_FEATURES, ...TOOL_FEATURES];
  const settings = tools ? SETTINGS : { ...SETTINGS, ...TOOL_SETTINGS };
  return [
    ...features
      .filter((feature) => capabilities.features.includes(feature))
      .flatMap((feature) => ['--disable', feature]),
    ...Object.entries(settings).flatMap(([key, value]) => setting(key, value)),
  ];
}

/** One `-c key=value`. JSON is valid TOML for strings, numbers, booleans and lists of them. */
export function setting(key: string, value: unknown): string[] {
  return ['-c', `${key}=${JSON.stringify(value)}`];
}
