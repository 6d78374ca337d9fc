import { access, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';
import type { Bench, Figure, Finding, Report } from '../support/figure.js';
import { interleaved, median, ms, ratio } from '../support/measure.js';
import { execute, needs, processTimes } from '../support/programs.js';

export const startUp: Figure = {
  title: 'Start-up',
  measure: async (bench) => {
    await needs('hyperfine', 'apt-get install -y hyperfine');
    // Without it oclif reads every command's file, and what is measured is not what is shipped.
    await access(join(packageRoot(), 'oclif.manifest.json'));
    const folder = await bench.folder();
    const bare = await makeBareConsole(folder);
    const ours = join(packageRoot(), 'bin', 'run.js');
    const findings: Finding[] = [];
    for (const flag of ['--version', '--help'])
      findings.push(await compare(bench, folder, { ours, bare, flag }));
    return { findings, notes: NOTES };
  },
};

const NOTES: Report['notes'] = [
  'The other side is an oclif CLI of one empty command with a manifest and the compile cache (which Node 20 does not have), on the same node_modules.',
  'Whole processes, by hyperfine without a shell.',
];

async function compare(
  bench: Bench,
  folder: string,
  { ours, bare, flag }: { ours: string; bare: string; flag: string },
): Promise<Finding> {
  const arm =
    (...argv: string[]) =>
    async () =>
      median(await processTimes(folder, { argv: [process.execPath, ...argv] }, 5));
  const times = await interleaved(bench.quick ? 3 : 12, {
    ours: arm(ours, flag),
    bare: arm(bare, flag),
    node: arm('-e', '0'),
  });
  return {
    claim: `\`nestctl ${flag}\` over an empty oclif CLI`,
    ratio: ratio(times.ours, times.bare),
    limit: { atMost: 1.2 },
    behind: `${ms(times.ours)} over ${ms(times.bare)}; \`node -e 0\` ${ms(times.node)}`,
  };
}

/** An oclif CLI with nothing in it, as its documents make one. Returns its executable. */
async function makeBareConsole(folder: string): Promise<string> {
  const root = join(folder, 'bare');
  for (const path of ['bin', 'commands']) await mkdir(join(root, path), { recursive: true });
  await symlink(join(packageRoot(), 'node_modules'), join(root, 'node_modules'));
  const oclif = { bin: 'bare', dirname: 'bare', commands: './commands', topicSeparator: ' ' };
  await writeFile(
    join(root, 'package.json'),
    JSON.stringify({
      name: 'bare',
      version: '0.0.0',
      type: 'module',
      bin: { bare: 'bin/run.js' },
      files: ['oclif.manifest.json'],
      oclif,
    }),
  );
  await writeFile(
    join(root, 'commands', 'nothing.js'),
    `import { Command } from '@oclif/core';
export default class Nothing extends Command {
  async run() {}
}
`,
  );
  const bin = join(root, 'bin', 'run.js');
  await writeFile(
    bin,
    `import module from 'node:module';
module.enableCompileCache?.();
const { execute } = await import('@oclif/core');
await execute({ dir: import.meta.url });
`,
  );
  // From within: oclif first removes the manifest of the folder it is run in, which would be ours.
  await execute(join(packageRoot(), 'node_modules', '.bin', 'oclif'), ['manifest', root], {}, root);
  return bin;
}
