import { type Draft, type Evidence, openEvidence } from '../../src/evidence/index.js';

export function evidenceIn(home: string, name = 'test'): Evidence {
  process.env.NESTCTL_HOME = home;
  return openEvidence({
    name,
    kind: 'server',
    host: '127.0.0.1',
    port: 5432,
    database: 'nestsync',
    user: 'camille.roy',
  });
}

export const draft = (number: number, chain = 'drills'): Draft => ({
  chain,
  type: 'drill',
  subject: [{ name: `drill ${number}`, sha256: '0'.repeat(64) }],
  content: { minutes: number },
});
