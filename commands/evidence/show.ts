import { ConsoleCommand } from '../../src/console/base-command.js';
import { fromList } from '../../src/console/choices.js';
import { Args, Flags, textFlag, zoneFlags, zoneOf } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, heading, table, text } from '../../src/console/views.js';

export default class EvidenceShow extends ConsoleCommand<typeof EvidenceShow> {
  static override summary = 'Show a signed record, and whether it verifies';
  static override description =
    'Exit code 3: it, or its chain, does not verify; 9: when it was made is not proven.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> keys/1',
    '<%= config.bin %> <%= command.id %> keys/1 --html record.html --language fr',
  ];
  static override args = { record: Args.string({ required: true, description: 'CHAIN/NUMBER' }) };
  static override flags = {
    ...zoneFlags,
    html: textFlag({ description: 'write it as a page for people to this file', helpValue: 'FILE' }),
    language: Flags.option({ options: ['en', 'fr'] as const, default: 'en' as const })({
      description: 'of the page',
    }),
  };

  protected override readonly choices = {
    record: fromList('Which record?', async () => {
      const { listRecords, openEvidence } = await import('../../src/evidence/index.js');
      const { records } = await listRecords(openEvidence(await this.context()), { limit: 1000 });
      return records.map(({ id, record }) => ({
        value: id,
        label: [id, record?.type, record?.made_at.slice(0, 10)].filter(Boolean).join(' · '),
      }));
    }),
  };

  async perform(): Promise<Outcome> {
    const { openEvidence, showRecord, writeReport } = await import('../../src/evidence/index.js');
    const { listed, verified, report } = await showRecord(
      openEvidence(await this.context()),
      this.args.record,
    );
    const { html, language } = this.flags;
    if (html !== undefined) await writeReport(report, html, { language, zone: zoneOf(this.flags) });
    const { record, kid, hash } = listed;
    const { faults, doubts, size } = verified;
    const doubt = doubts.find(({ number }) => number === listed.number);
    return {
      result: { id: listed.id, record, key: kid, sha256: hash, faults, doubts, html: html ?? null },
      view: [
        details({
          record: listed.id,
          type: record?.type,
          made: record && new Date(record.made_at),
          by: record?.made_by,
          context: record?.context,
          key: kid,
          'SHA-256': hash,
          page: html,
        }),
        ...(record === null ? [] : [heading('Says'), text(JSON.stringify(record.content))]),
        faults.length === 0
          ? doubt === undefined
            ? text(`Signed, and in its place in the chain of ${size}.`, { mark: 'good' })
            : text(`In its place in the chain of ${size}, but ${doubt.detail}.`, { mark: 'unknown' })
          : table(
              faults,
              [
                { name: 'record', value: ({ number }) => number },
                { name: 'fault', value: ({ kind }) => kind, keep: true },
                { name: 'detail', value: ({ detail }) => detail },
              ],
              '',
            ),
      ],
      verdict: faults.length > 0 ? 'finding' : doubt === undefined ? undefined : 'partial',
    };
  }
}
