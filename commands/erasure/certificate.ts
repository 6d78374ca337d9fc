import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  erasureArgs,
  Flags,
  textFlag,
  writeFlags,
  zoneFlags,
  zoneOf,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details, text } from '../../src/console/views.js';

export default class ErasureCertificate extends ConsoleCommand<typeof ErasureCertificate> {
  static override summary = 'Sign the certificate of an erasure that is proven, and write it as a page';
  static override description =
    'What was erased, what is kept, under which obligation and until when, what became of it at others, and until when a backup may hold it: unknown, as long as no catalogue of backups is at hand. It names nobody: the number of the request leads there. One that says the same is not signed twice.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0004 --file attestation.html --language fr --reason "her copy" --ticket DSR-21',
  ];
  static override args = erasureArgs;
  static override flags = {
    ...writeFlags,
    ...zoneFlags,
    file: textFlag({ description: 'write it as a page to this file', helpValue: 'FILE' }),
    language: Flags.option({ options: ['en', 'fr'] as const, default: 'en' as const })({
      description: 'of the page',
    }),
  };

  async perform(): Promise<Outcome> {
    const { certifyErasure, planCertificate, writeCertificate } = await import('../../src/privacy/index.js');
    const { number } = this.args;
    const { file, language } = this.flags;
    const context = await this.context();
    return await this.withSession(['compliance'], (session) =>
      this.change({
        plan: () => planCertificate(session, number),
        show: (facts) =>
          details({
            request: facts.request,
            ground: facts.ground,
            erased: new Date(facts.erased_at),
            proven: new Date(facts.proven_at),
            rows: facts.steps.reduce((sum, { rows }) => sum + rows, 0),
            kept: facts.kept.reduce((sum, { rows }) => sum + rows, 0),
            'open outside': facts.outside.filter(({ outcome }) => outcome === null).length,
            'last backup expires': facts.backups_until ?? 'unknown',
          }),
        apply: async (facts) => {
          const certificate = await certifyErasure(session, context, facts);
          if (file !== undefined) await writeCertificate(certificate, file, language, zoneOf(this.flags));
          return certificate;
        },
        done: (certificate) => ({
          result: { ...certificate, file: file ?? null },
          view: text(
            `Signed as ${certificate.evidence}${file === undefined ? '' : `, written to ${file}`}.`,
            {
              mark: 'good',
            },
          ),
          next: 'nestctl evidence verify',
        }),
      }),
    );
  }
}
