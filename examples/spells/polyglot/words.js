// What JavaScript does well: regular expressions and sorting. Its functions are called from Lua as if they were Lua's.

/** The words of a text that occur most often, as [word, count], most frequent first. */
export function frequent(text, most = 5) {
  const counts = new Map();
  for (const [word] of text.toLowerCase().matchAll(/[a-z]{4,}/g)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, most);
}

/** Call `label(word, count)`, a function of whatever language calls, for each pair. */
export async function labelled(pairs, label) {
  const lines = [];
  for (const [word, count] of pairs) {
    lines.push(await label(word, count));
  }
  return lines;
}
