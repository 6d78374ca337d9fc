import { ConsoleCommand } from '../../src/console/base-command.js';
import { Args } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { details } from '../../src/console/views.js';

export default class ContextShow extends ConsoleCommand<typeof ContextShow> {
  static override summary = 'Show where a context leads and as whom; never a password';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> local',
  ];
  static override args = { name: Args.string({ description: 'the context; the chosen one when absent' }) };

  async perform(): Promise<Outcome> {
    const { resolveContext } = await import('../../src/platform/config/contexts.js');
    const { describeContext } = await import('../../src/platform/config/describe.js');
    const context = describeContext(await resolveContext(this.args.name ?? this.flags.context));
    const { object_store: store, mail } = context;
    return {
      result: context,
      view: details({
        name: context.name,
        kind: context.kind,
        server: `${context.host}:${context.port}`,
        database: context.database,
        operator: context.user,
        owner: context.owner,
        TLS: context.sslmode,
        password: context.password_from,
        "owner's password": context.owner_password_from,
        replica: context.replica,
        'object store': store === null ? null : placed(store),
        'its credentials': store?.credentials_from,
        'export store': context.export_store === null ? undefined : placed(context.export_store),
        backup: context.backup,
        'signing key': context.signing_key,
        evidence: context.evidence.folder,
        residency: context.residency.join(', '),
        'mail server': mail === null ? null : `${mail.host}:${mail.port} (${mail.tls}), from ${mail.from}`,
        'its login':
          mail === null || mail.user === null
            ? undefined
            : `${mail.user}, password from ${mail.password_from}`,
        file: context.file,
      }),
    };
  }
}

function placed(store: {
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string;
  readonly region: string;
}): string {
  return `${store.bucket}/${store.prefix} at ${store.endpoint} (${store.region})`;
}
