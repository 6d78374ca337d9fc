/** A process that appends records: HOME CHAIN COUNT. Each one that is durable is told on stdout, `NUMBER HASH`. */
import { appendRecord } from '../../src/evidence/index.js';
import { draft, evidenceIn } from './evidence-context.js';

const [home = '', chain = '', count = '0'] = process.argv.slice(2);
const evidence = evidenceIn(home);
for (let number = 1; number <= Number(count); number += 1) {
  const { record, hash } = await appendRecord(evidence, draft(number, chain));
  process.stdout.write(`${record.number} ${hash}\n`);
}
