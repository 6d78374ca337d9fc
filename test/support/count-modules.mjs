/**
 * Given to Node by --import: writes the path of every module that the process loads, one a line, into the file that
 * NESTCTL_TEST_MODULES names. ES modules are seen by a loader hook, CommonJS ones in the cache of require.
 */
import { appendFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';

const file = process.env.NESTCTL_TEST_MODULES;
const hook = `
  import { appendFileSync } from 'node:fs';
  export async function load(url, context, next) {
    if (url.startsWith('file:')) appendFileSync(${JSON.stringify(file)}, new URL(url).pathname + '\\n');
    return next(url, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
process.on('exit', () => {
  const { cache } = createRequire(import.meta.url);
  appendFileSync(
    file,
    Object.keys(cache)
      .map((path) => `${path}\n`)
      .join(''),
  );
});
