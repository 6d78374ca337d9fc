import type { Connection } from '../../platform/database/connection.js';
import type { Finding } from '../../platform/doctor/index.js';
import { askRules, type Rule, readRules } from '../../platform/rules/index.js';

export interface MapCheck {
  readonly findings: readonly Finding[];
  readonly rules: readonly Rule[];
}

/** Holds the data map against the live catalogue by the rules of sql/checks/datamap. Reads no rows but the map's own. */
export async function checkMap(connection: Connection): Promise<MapCheck> {
  const set = await readRules('datamap');
  const findings = await askRules(connection, set);
  return { findings: findings.map(({ meant, ...finding }) => finding), rules: set.rules };
}
