/** What an argument of a command worker may stand for. */
export interface PlaceholderValues {
  prompt_file: string;
  chunk_id: string;
  model: string;
  schema_file: string;
}

/** Fills `{prompt_file}` and the like in one argument. What was filled in is never scanned again. */
export function fillPlaceholders(argument: string, values: PlaceholderValues): string {
  return argument.replace(
    /\{(prompt_file|chunk_id|model|schema_file)\}/g,
    (_, name: keyof PlaceholderValues) => values[name],
  );
}
