/** How often which alias was put into which column. */
export class Tally {
  readonly counts = new Map<string, { table: string; column: string; aliases: Map<string, number> }>();

  add(
    table: string,
    severed: readonly { readonly column: string; readonly aliases: readonly string[] }[],
  ): void {
    for (const { column, aliases } of severed) {
      const name = `${table}.${column}`;
      const place = this.counts.get(name) ?? { table, column, aliases: new Map<string, number>() };
      this.counts.set(name, place);
      for (const alias of aliases) place.aliases.set(alias, (place.aliases.get(alias) ?? 0) + 1);
    }
  }

  has(table: string, column: string): boolean {
    return this.counts.has(`${table}.${column}`);
  }

  /** How often anybody was put into a table. */
  in(table: string): number {
    return [...this.counts.values()]
      .filter((place) => place.table === table)
      .flatMap(({ aliases }) => [...aliases.values()])
      .reduce((sum, times) => sum + times, 0);
  }

  /** How often each was put in, wherever. */
  get aliases(): ReadonlyMap<string, number> {
    const all = new Map<string, number>();
    for (const { aliases } of this.counts.values())
      for (const [alias, times] of aliases) all.set(alias, (all.get(alias) ?? 0) + times);
    return all;
  }
}
