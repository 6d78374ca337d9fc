import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type SealedLog, sealedLog } from '../support/sealed-log.js';

let log: SealedLog;
beforeAll(async () => {
  log = await sealedLog();
});
afterAll(() => log?.close());

describe('sealing', () => {
  test('gives every event a leaf, signs the head, and the log verifies', async () => {
    await log.write('Roy', 'Tremblay');
    const first = await log.seal();
    expect(first).toMatchObject({ signed: true });
    const { count } = await log.superuser.one<{ count: number }>('select count(*)::int from audit.events');
    expect(first.size).toBe(count);
    expect(await log.verify()).toMatchObject({
      verdict: 'intact',
      size: count,
      events: count,
      faults: [],
      unsealed: 0,
    });

    await log.write('Gagnon');
    expect(await log.verify()).toMatchObject({ verdict: 'intact', events: count + 1, unsealed: 1 });
    const second = await log.seal();
    expect(second).toMatchObject({ sealed: 1, size: count + 1, signed: true });
    expect(await log.seal()).toMatchObject({ sealed: 0, signed: false });
    expect(await log.verify()).toMatchObject({ verdict: 'intact', checkpoints: 4 });
  });

  test('goes through many tiles, in batches', async () => {
    await log.superuser.query(
      `insert into public.families (name) select 'F' || n from generate_series(1, 1000) n`,
    );
    for (let round = 0; round < 30; round += 1) await log.write(`single ${round}`);
    const { sealed } = await log.seal(10);
    expect(sealed).toBe(1030);
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [] });
  });

  test('waits for a transaction that is open, and says for whom', async () => {
    await log.superuser.query('begin');
    await log.superuser.query(`insert into public.families (name) values ('slow')`);
    await log.write('quick');
    expect((await log.seal()).sealed).toBe(0);
    await log.superuser.query('commit');
    expect((await log.seal()).sealed).toBe(2);
    expect(await log.verify()).toMatchObject({ verdict: 'intact', faults: [], unsealed: 0 });
  });
});
