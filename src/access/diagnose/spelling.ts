/** In a short name before the @ two letters make another person's. */
const SHORT = 8;

/** Whether one address is the other with a slip: a letter wrong, missing, too many or changed places with the next. */
export function isSlip(one: string, other: string): boolean {
  const [a, b] = [one, other].map((address) => address.normalize('NFKC').toLowerCase()) as [string, string];
  const slips = Math.min(a.indexOf('@'), b.indexOf('@')) < SHORT ? 1 : 2;
  return a !== b && Math.abs(a.length - b.length) <= slips && distance(a, b) <= slips;
}

/** Optimal string alignment: changes that turn one text into the other, swapped neighbours counting as one. */
function distance(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      next.push(least);
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
