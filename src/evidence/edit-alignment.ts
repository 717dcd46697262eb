/**
 * Aligns two texts with the fewest edits and says which characters found their equal: 1 a match, 0 none.
 * Time and memory grow with the product of the lengths: for texts of a quote's size.
 */
export function matchedCharacters(a: string, b: string): { a: Uint8Array; b: Uint8Array } {
  const width = b.length + 1;
  const costs = costTable(a, b, width);
  const matched = { a: new Uint8Array(a.length), b: new Uint8Array(b.length) };
  let [i, j] = [a.length, b.length];
  while (i > 0 && j > 0) {
    const here = costs[i * width + j] ?? 0;
    const diagonal = costs[(i - 1) * width + j - 1] ?? 0;
    if (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) && here === diagonal) {
      matched.a[i - 1] = 1;
      matched.b[j - 1] = 1;
      i -= 1;
      j -= 1;
    } else if (here === diagonal + 1) {
      i -= 1;
      j -= 1;
    } else if (here === (costs[(i - 1) * width + j] ?? 0) + 1) i -= 1;
    else j -= 1;
  }
  return matched;
}

/** Edit distances of all pairs of prefixes, row by row. */
function costTable(a: string, b: string, width: number): Uint16Array {
  const costs = new Uint16Array((a.length + 1) * width);
  for (let j = 0; j <= b.length; j += 1) costs[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    const row = i * width;
    const above = row - width;
    costs[row] = i;
    for (let j = 1; j <= b.length; j += 1) {
      const change = (costs[above + j - 1] ?? 0) + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1);
      const shorter = Math.min(costs[above + j] ?? 0, costs[row + j - 1] ?? 0) + 1;
      costs[row + j] = Math.min(change, shorter);
    }
  }
  return costs;
}
