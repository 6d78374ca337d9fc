import type { Connection } from '../../platform/database/connection.js';
import type { Findings } from './finding.js';

/** Whether each request under which parts were erased is one whose erasure was approved and recorded. */
export async function judgeErasures(
  connection: Connection,
  erased: ReadonlyMap<string, number>,
  findings: Findings,
): Promise<void> {
  if (erased.size === 0) return;
  const { readable } = await connection.one<{ readable: boolean | null }>(
    `select has_table_privilege(to_regclass('audit.erasures'), 'select') as readable`,
  );
  if (readable !== true) {
    findings.doubt(
      'erasures',
      'whether they were approved is not to be seen under this duty: --duty auditor',
    );
    return;
  }
  const known = await connection.query<{ request: string }>(`
    select distinct e.request from audit.erasures e
      join ops.approvals a on a.id = e.approval_id and a.action = 'erasure' and a.decision = 'granted' and a.used_at is not null`);
  const lawful = new Set(known.map(({ request }) => request));
  for (const [request, events] of erased) {
    if (lawful.has(request)) continue;
    findings.fault(
      'unlawful_erasure',
      `${events} events lost parts under a request whose erasure nobody approved`,
      {
        object: `request ${request}`,
      },
    );
  }
}
