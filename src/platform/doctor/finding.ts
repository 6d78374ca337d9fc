/** From what is right to what is wrong. `unknown`: could not be checked, which is never a pass. */
export type Level = 'ok' | 'info' | 'unknown' | 'warning' | 'error';

/** One answer of one check; also the row that every file of sql/checks returns. */
export interface Finding {
  readonly name: string;
  readonly level: Level;
  /** What it is about: a table, a login, a setting. */
  readonly object: string | null;
  readonly detail: string;
  /** A complete command that mends it. */
  readonly remedy: string | null;
}

export function finding(
  name: string,
  level: Level,
  detail: string,
  more: { readonly object?: string; readonly remedy?: string } = {},
): Finding {
  return { name, level, detail, object: more.object ?? null, remedy: more.remedy ?? null };
}
