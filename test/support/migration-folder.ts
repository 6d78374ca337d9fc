import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FixtureMigration {
  readonly up: string;
  readonly down?: string;
  readonly kind?: 'schema' | 'data';
  readonly transaction?: 'yes' | 'no';
  readonly reversible?: string;
  readonly seeds?: string;
}

/** A folder of migrations that a test makes up, and can change while it goes. */
export class MigrationFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'nestctl-migrations-'));

  constructor(migrations: Readonly<Record<string, FixtureMigration>> = {}) {
    for (const [name, migration] of Object.entries(migrations)) this.write(name, migration);
  }

  write(name: string, migration: FixtureMigration): this {
    const { kind = 'schema', transaction = 'yes', reversible = 'yes', seeds } = migration;
    const header = [
      `-- kind: ${kind}`,
      '-- locks: none on existing tables',
      `-- transaction: ${transaction}`,
      `-- reversible: ${reversible}`,
      ...(seeds === undefined ? [] : [`-- seeds: ${seeds}`]),
    ];
    this.writeFile(name, 'up.sql', `${header.join('\n')}\n\n${migration.up}\n`);
    if (migration.down !== undefined) this.writeFile(name, 'down.sql', `${migration.down}\n`);
    return this;
  }

  writeFile(name: string, file: string, text: string): this {
    mkdirSync(join(this.path, name), { recursive: true });
    writeFileSync(join(this.path, name, file), text);
    return this;
  }

  remove(name?: string): void {
    rmSync(name === undefined ? this.path : join(this.path, name), { recursive: true, force: true });
  }
}
