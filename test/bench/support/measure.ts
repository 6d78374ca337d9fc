export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new RangeError('nothing was measured');
  return (low + high) / 2;
}

/** Milliseconds that the work took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/**
 * Runs the arms in turn, round by round, so that whatever else the machine does falls on all alike; every other
 * round in the opposite order. Returns what each round measured, by arm.
 */
export async function interleaved<Arm extends string>(
  rounds: number,
  arms: Readonly<Record<Arm, () => Promise<number>>>,
): Promise<Record<Arm, number[]>> {
  const names = Object.keys(arms) as Arm[];
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Arm, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) measured[name].push(await arms[name]());
  }
  return measured;
}

/** The median of the rounds' own ratios: what disturbs one round disturbs both of its sides. */
export function ratio(over: readonly number[], under: readonly number[]): number {
  return median(over.map((value, round) => value / (under[round] ?? Number.NaN)));
}

/** Milliseconds, to three digits. */
export function ms(values: readonly number[]): string {
  const value = median(values);
  return value >= 1000 ? `${(value / 1000).toPrecision(3)} s` : `${value.toPrecision(3)} ms`;
}
