import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDatabase } from './database.js';

/** A console's surroundings with a secret in every place that it takes one from. */
export interface PlantedSecrets {
  readonly env: Readonly<Record<string, string>>;
  /** By where it was planted. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Those that no program the console starts may inherit. */
  readonly ours: readonly string[];
  readonly home: string;
  /** Every file that the console could have written, but for those that are to hold a secret. */
  writtenFiles(): Promise<Map<string, string>>;
  remove(): Promise<void>;
}

/** Files of the data folder whose purpose is to hold a secret, closed to others. */
const KEPT_SECRET = /\/signing\/(key\.pem|ledger-keys\.json)$/;

/**
 * Three contexts: `works` with a right password from a variable, `wrong` with a wrong one from a program, `down` with
 * one from a passfile and no server. No object store answers.
 */
export async function plantSecrets(database: TestDatabase): Promise<PlantedSecrets> {
  const home = await mkdtemp(join(tmpdir(), 'nestctl-secrets-'));
  const config = await mkdtemp(join(tmpdir(), 'nestctl-secrets-config-'));
  const temporary = join(home, 'tmp');
  await mkdir(temporary);
  const [operator] = database.operators;
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const planted = (name: string) => `planted-${name}-Zq8wX2`;
  const secrets: Record<string, string> = {
    'the right password': operator.password as string,
    "the owner's password": planted('owner-pw'),
    PGPASSWORD: planted('pgpassword'),
    'a passfile': planted('passfile'),
    'a password command': planted('password-command'),
    'an S3 secret': planted('s3-secret'),
    'an S3 token': planted('s3-token'),
    'an S3 key of a command': planted('s3-command'),
    'a Supabase token': planted('supabase'),
    DATABASE_URL: planted('database-url'),
    'a signing key': pem.split('\n')[1] ?? '',
  };
  const secret = (name: string) => secrets[name] ?? '';

  const program = async (name: string, prints: string) => {
    const path = join(config, name);
    // Slow, so that it can be looked at while it runs.
    await writeFile(path, `#!/bin/sh\nsleep 0.3\ncat <<'END'\n${prints}\nEND\n`);
    await chmod(path, 0o700);
    return path;
  };
  const passwordProgram = await program('password-program', secret('a password command'));
  const keyProgram = await program('key-program', pem);
  const storeProgram = await program(
    'store-program',
    JSON.stringify({ Version: 1, AccessKeyId: 'PLANTED', SecretAccessKey: secret('an S3 key of a command') }),
  );
  const passfile = join(config, 'pgpass');
  await writeFile(passfile, `*:*:*:*:${secret('a passfile')}\n`, { mode: 0o600 });

  const server = (name: string, port: number, more: string) =>
    [
      `[contexts.${name}]\nkind = "server"\nhost = "${operator.host}"\nport = ${port}`,
      `database = "${operator.database}"\nuser = "${operator.user}"\n${more}`,
      `[contexts.${name}.object_store]\nendpoint = "http://127.0.0.1:1"\nbucket = "planted"`,
      'region = "ca-central-1"\npath_style = true',
    ].join('\n');
  const owner = (name: string) =>
    `[contexts.${name}.owner]\nuser = "${database.owner.user}"\npassword_env = "PLANTED_OWNER_PW"`;
  await writeFile(
    join(config, 'contexts.toml'),
    [
      'current = "works"',
      server('works', operator.port, 'password_env = "PLANTED_PW"'),
      owner('works'),
      server('wrong', operator.port, `password_command = ["${passwordProgram}"]`),
      owner('wrong'),
      `[contexts.wrong.signing_key]\ncommand = ["${keyProgram}"]`,
      server('down', 1, `passfile = "${passfile}"`),
      `credentials_command = ["${storeProgram}"]`,
    ].join('\n'),
    { mode: 0o600 },
  );
  return {
    secrets,
    ours: ['the right password', "the owner's password", 'PGPASSWORD', 'a Supabase token'].map(secret),
    home,
    env: {
      NESTCTL_CONFIG: join(config, 'contexts.toml'),
      NESTCTL_HOME: join(home, 'data'),
      HOME: home,
      TMPDIR: temporary,
      PLANTED_PW: secret('the right password'),
      PLANTED_OWNER_PW: secret("the owner's password"),
      PGPASSWORD: secret('PGPASSWORD'),
      AWS_ACCESS_KEY_ID: 'PLANTED',
      AWS_SECRET_ACCESS_KEY: secret('an S3 secret'),
      AWS_SESSION_TOKEN: secret('an S3 token'),
      SUPABASE_ACCESS_TOKEN: secret('a Supabase token'),
      DATABASE_URL: `postgres://camille:${secret('DATABASE_URL')}@db.example.ca/nestsync`,
    },
    writtenFiles: async () => {
      const found = new Map<string, string>();
      for (const name of await readdir(home, { recursive: true })) {
        const path = join(home, name);
        if (KEPT_SECRET.test(path) || !(await stat(path)).isFile()) continue;
        const bytes = await readFile(path);
        // Envelopes hold what they sign in Base64.
        const inside = /"payload":"([^"]+)"/.exec(bytes.toString('utf8'))?.[1] ?? '';
        found.set(path, `${bytes.toString('latin1')}\n${Buffer.from(inside, 'base64').toString('utf8')}`);
      }
      return found;
    },
    remove: async () => {
      await rm(home, { recursive: true, force: true });
      await rm(config, { recursive: true, force: true });
    },
  };
}

export interface SeenProcess {
  readonly command: string;
  readonly environment: string;
  /** Started by the console, by way of others too. */
  readonly below: boolean;
}

/** Watches the processes that the console `pid` starts, and its own command line, until told to stop. */
export function watchProcesses(pid: number): () => Promise<SeenProcess[]> {
  const seen = new Map<string, SeenProcess>();
  let going = true;
  const watch = (async () => {
    while (going) {
      const parents = new Map<number, number>();
      for (const name of (await readdir('/proc')).filter((one) => /^\d+$/.test(one))) {
        const fields = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
        parents.set(Number(name), Number(fields.slice(fields.lastIndexOf(')') + 2).split(' ')[1] ?? 0));
      }
      for (const one of parents.keys()) {
        let at: number | undefined = one;
        while (at !== undefined && at > 1 && at !== pid) at = parents.get(at);
        if (at !== pid) continue;
        const read = async (part: string) =>
          (await readFile(`/proc/${one}/${part}`, 'utf8').catch(() => '')).replaceAll('\0', '\n');
        const exe = await readlink(`/proc/${one}/exe`).catch(() => '');
        const [command, environment] = [await read('cmdline'), await read('environ')];
        // Between fork and exec a child is still a copy of the console.
        const copy = one !== pid && exe === process.execPath && !command.includes('run.js');
        if (!copy) seen.set(`${one} ${command}`, { command, environment, below: one !== pid });
      }
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  })();
  return async () => {
    going = false;
    await watch;
    return [...seen.values()];
  };
}
