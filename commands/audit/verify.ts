import { ConsoleCommand } from '../../src/console/base-command.js';
import { provenBundleView, provenEventView } from '../../src/console/bundle-views.js';
import {
  Flags,
  staffFlags,
  textFlag,
  timeRange,
  uuidFlag,
  zoneFlags,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { verifyView } from '../../src/console/seal-views.js';
import { text } from '../../src/console/views.js';
import { NestctlError } from '../../src/platform/errors.js';

export default class AuditVerify extends ConsoleCommand<typeof AuditVerify> {
  static override summary = 'Verify the audit log: every event, every leaf, every head that was ever signed';
  static override description =
    'Intact, lawfully erased (by which request), rewound by a recorded recovery, or tampered with: which event or ' +
    'object, and how. Compares with the heads this console has seen, and with those in the object store where the ' +
    'context names one. With a span of time only its events are read; the tree is verified whole. What was never ' +
    'logged is found by audit coverage. With --offline a file is verified instead, without a database: the proof of an event, or a family’s history. ' +
    'Exit code 3: tampered with; 9: something could not be told.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --since 7d',
    '<%= config.bin %> <%= command.id %> --from 2026-11-01 --to 2026-11-30',
    '<%= config.bin %> <%= command.id %> --offline tremblay.bundle --family 5b1c… --to 2026-11-30',
  ];
  static override flags = {
    ...staffFlags,
    ...zoneFlags,
    since: Flags.string({
      description: 'only events from here on: 3h, 2d, a date or a time',
      aliases: ['from'],
      helpGroup: 'TIME',
      helpValue: 'TIME',
    }),
    to: Flags.string({
      description:
        'only events before this; a date means to the end of that day. With --offline a history must be complete until then, or up to that leaf',
      aliases: ['until'],
      helpGroup: 'TIME',
      helpValue: 'TIME|LEAF',
    }),
    offline: textFlag({
      description: 'verify this file, without a database',
      helpGroup: 'PROOF',
      helpValue: 'FILE',
      exclusive: ['since'],
    }),
    family: uuidFlag({
      description: 'whose history the file must hold',
      helpGroup: 'PROOF',
      dependsOn: ['offline'],
    }),
    keys: textFlag({
      description: "verify with this published key set, not the context's own",
      helpGroup: 'PROOF',
      helpValue: 'FILE',
      dependsOn: ['offline'],
    }),
  };

  async perform(): Promise<Outcome> {
    const { offline } = this.flags;
    if (offline !== undefined) return await this.#offline(offline);
    const { spanOf, verifyContext } = await import('../../src/audit/index.js');
    const { since, until } = timeRange({
      since: this.flags.since,
      until: this.flags.to,
      zone: this.flags.zone,
    });
    const context = await this.context();
    const report = await this.withSession(['auditor', 'compliance', 'admin', 'sre'], (session) =>
      verifyContext(session, context, {
        range: spanOf(since, until),
        signal: this.signal,
        tell: this.progress,
        onProgress: (done, total) => this.counted({ what: 'events', done, total }),
      }),
    );
    const tampered = report.verdict === 'tampered';
    return {
      result: report,
      view: verifyView(report),
      verdict: tampered ? 'finding' : report.doubts.length > 0 ? 'partial' : undefined,
      next: tampered ? undefined : 'nestctl audit coverage',
    };
  }

  async #offline(file: string): Promise<Outcome> {
    const { openEvidence, readKeySet, verifyingKeys, verifyProofFile } = await import(
      '../../src/evidence/index.js'
    );
    const { family, keys, to, zone } = this.flags;
    const keySet =
      keys === undefined
        ? await verifyingKeys(openEvidence(await this.context()).places)
        : await readKeySet(keys);
    const leaf = /^[0-9]{1,15}$/.test(to ?? '') ? Number(to) : undefined;
    const until = leaf ?? timeRange({ until: to, zone }).until?.toISOString();
    const judged = await verifyProofFile(file, keySet, { family, to: until });
    if (judged === undefined) throw notAProof(file);
    if ('event' in judged) return { result: judged.event, view: provenEventView(judged.event) };
    if ('bundle' in judged) {
      const { bundle } = judged;
      return {
        result: bundle,
        view: provenBundleView(bundle),
        verdict: bundle.leaf_only > 0 ? 'partial' : undefined,
      };
    }
    const { kind, detail } = judged.refused;
    return {
      result: { kind, detail },
      view: [text(`${kind.replaceAll('_', ' ')}: ${detail}.`, { mark: 'bad' })],
      verdict: 'finding',
      next: kind === 'unknown_key' ? 'nestctl evidence key import --help' : undefined,
    };
  }
}

function notAProof(file: string): NestctlError {
  return new NestctlError(`${file} is neither the proof of an event nor a family's history.`, {
    kind: 'usage',
    code: 'no_proof',
    hint: 'Signed records are verified with nestctl evidence verify, or with bin/verify.js.',
    next: 'nestctl audit export --help',
  });
}
