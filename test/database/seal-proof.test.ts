import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proveEvent } from '../../src/audit/index.js';
import { verifyStandalone } from '../../src/evidence/verify-standalone.js';
import { openSession } from '../../src/platform/database/session.js';
import { attack } from '../support/attacks.js';
import { auditEvents, leafOf } from '../support/audit-leaf.js';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';
import { checkProof } from '../support/tree-by-the-rfc.js';

let log: SealedLog;
let keySet: string;
beforeAll(async () => {
  log = await sealedLog();
  await log.superuser.query(
    `insert into public.families (name) select 'F' || n from generate_series(1, 700) n`,
  );
  await log.write('Roy', 'Tremblay');
  await log.seal();
  keySet = log.evidence.places.keySet;
});
afterAll(() => log?.close());

describe('the proof of an event', () => {
  test('holds, by ours and by the specification alone, for events in every tile', async () => {
    const { keys } = JSON.parse(await readFile(keySet, 'utf8')) as { keys: { x: string }[] };
    const events = await auditEvents(log.superuser);
    for (const at of [0, 1, 255, 256, 511, 512, 600, events.length - 1]) {
      const event = events[at];
      if (event === undefined) throw new Error('no such event');
      const receipt = await proveEvent(log.sre, log.evidence, event.id);
      expect(checkProof(receipt.proof, Buffer.from(leafOf(event), 'hex'), keys[0]?.x ?? '')).toEqual({
        index: receipt.index,
        size: events.length,
      });
      const file = join(log.home, `${event.id}.tlog-proof`);
      await writeFile(file, receipt.proof);
      const { exitCode, stdout } = await verifyStandalone(['--keys', keySet, file]);
      expect([exitCode, stdout]).toEqual([
        0,
        expect.stringContaining(`good      event ${event.id}: ${event.operation} ${event.table_name} by `),
      ]);
    }
  });

  test('is for support of its own events, and shows it no place of others', async () => {
    const support = await openSession(await log.database.makeOperator('support'), { duty: 'support' });
    await support.query(`select ops.open_access('directory', 'a proof of it', 'SUP-1', 5, null, null)`);
    const [own] = await auditEvents(
      log.superuser,
      `e.duty = 'support' and e.table_name = 'ops.access_grants'`,
    );
    await log.seal();
    expect(await proveEvent(support, log.evidence, own?.id ?? '')).toMatchObject({ event: own?.id });
    const [other] = await auditEvents(log.superuser, `e.new_row ->> 'name' = 'Roy'`);
    await expect(proveEvent(support, log.evidence, other?.id ?? '')).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(support.query('select entries from audit.tiles')).rejects.toMatchObject({
      code: 'permission_denied',
    });
    await support.close();
  });

  test('does not hold for anything else', async () => {
    const [event] = await auditEvents(log.superuser, `e.new_row ->> 'name' = 'Roy'`);
    const { proof } = await proveEvent(log.sre, log.evidence, event?.id ?? '');
    const changes: readonly ((text: string) => string)[] = [
      (text) => text.replace(/index (\d+)/, (_, index) => `index ${Number(index) - 1}`),
      (text) =>
        text.replace(/\n(\d+)\n(?=[A-Za-z0-9+/]{43}=\nfamilies)/, (_, size) => `\n${Number(size) + 1}\n`),
      (text) =>
        text.replace(/extra (\S+)/, (_, extra: string) => {
          const facts = JSON.parse(Buffer.from(extra, 'base64').toString()) as object;
          return `extra ${Buffer.from(JSON.stringify({ ...facts, session_login: 'somebody.else' })).toString('base64')}`;
        }),
      (text) => text.replace('\n\n', '\n'),
      (text) => text.slice(0, -10),
    ];
    for (const change of changes) {
      expect(change(proof)).not.toBe(proof);
      const file = join(log.home, 'changed.tlog-proof');
      await writeFile(file, change(proof));
      const { exitCode, stdout } = await verifyStandalone(['--keys', keySet, file]);
      expect([exitCode, stdout]).toEqual([3, expect.stringContaining('TAMPERED')]);
    }
  });

  test('is not made for what is not sealed, not there, or altered', async () => {
    await log.write('Late');
    const [late] = await auditEvents(log.superuser, `e.new_row ->> 'name' = 'Late'`);
    await expect(proveEvent(log.sre, log.evidence, late?.id ?? '')).rejects.toMatchObject({
      code: 'not_sealed',
    });
    await expect(proveEvent(log.sre, log.evidence, '99999999')).rejects.toMatchObject({ code: 'not_found' });
    await attack(
      log.superuser,
      `update audit.events set session_login = 'x' where new_row ->> 'name' = 'Tremblay'`,
    );
    const [altered] = await auditEvents(log.superuser, `e.new_row ->> 'name' = 'Tremblay'`);
    await expect(proveEvent(log.sre, log.evidence, altered?.id ?? '')).rejects.toMatchObject({
      code: 'event_altered',
    });
  });
});
