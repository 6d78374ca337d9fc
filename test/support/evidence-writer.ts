import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const PROGRAM = `
  const [root, chain, count, folder] = process.argv.slice(1);
  const { appendRecord, openEvidence } = await import(root + 'src/evidence/index.ts');
  const context = { name: 'test', kind: 'server', host: '127.0.0.1', port: 5432, database: 'd', user: 'u', evidence: folder ? { folder } : {} };
  const evidence = openEvidence(context);
  for (let number = 1; number <= Number(count); number += 1) {
    const subject = [{ name: 'drill', sha256: '0'.repeat(64) }];
    const { record, hash } = await appendRecord(evidence, { chain, type: 'drill', subject, content: { number } });
    process.stdout.write(record.number + ' ' + hash + '\\n');
  }
`;

/** A process that appends records, of the sources, and tells each one once it is durable. */
export class EvidenceWriter {
  readonly #child: ChildProcess;
  #output = '';

  /** `records` is a folder of records other than the home's own, as if it were mounted there. */
  constructor(home: string, chain: string, count: number, records = '') {
    const root = new URL('../../', import.meta.url).href;
    this.#child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, root, chain, String(count), records],
      {
        env: { PATH: process.env.PATH ?? '', NESTCTL_HOME: home },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
  }

  /** Number and hash of every record it was told is kept. */
  get told(): [number: number, hash: string][] {
    const lines = this.#output.split('\n').slice(0, -1);
    return lines.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async end(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close');
    return this.#child.exitCode;
  }
}
