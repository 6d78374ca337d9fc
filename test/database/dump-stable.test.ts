import { expect, it, onTestFinished } from 'vitest';
import { withConnection } from '../../src/platform/database/connection.js';
import { createTestDatabase } from '../support/database.js';

// The audit log watches triggers by their text: one that reads otherwise once restored from a dump is a false alarm then.
it('triggers read the same after their text was read back', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const triggers = await withConnection(database.superuser, async (connection) => {
    await connection.query(`
      create function pg_temp.again(relation regclass, name text, definition text) returns text language plpgsql as $$
      begin
        execute format('drop trigger %I on %s', name, relation);
        execute definition;
        return (select pg_get_triggerdef(t.oid) from pg_trigger t where t.tgrelid = relation and t.tgname = name);
      end $$`);
    return connection.query<{ before: string; after: string }>(`
      select t.definition as before, pg_temp.again(t.relation, t.name, t.definition) as after
      from (select t.tgrelid::regclass as relation, t.tgname::text as name, pg_get_triggerdef(t.oid) as definition
            from pg_trigger t where not t.tgisinternal and t.tgparentid = 0) t`);
  });
  expect(triggers.length).toBeGreaterThan(200);
  expect(triggers.filter((trigger) => trigger.before !== trigger.after)).toEqual([]);
});
