/**
 * One page of ids that are sorted backwards.
 *
 * @param options.cursor the last id of the page before
 * @returns `next_cursor`: null on the last page
 */
export function pageOf(
  ids: readonly string[],
  options: { cursor?: string | undefined; limit: number },
): { page: readonly string[]; total: number; next_cursor: string | null } {
  const { cursor, limit } = options;
  const rest = cursor === undefined ? ids : ids.filter((id) => id < cursor);
  const page = rest.slice(0, limit);
  return { page, total: ids.length, next_cursor: rest.length > page.length ? (page.at(-1) ?? null) : null };
}
