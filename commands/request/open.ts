import {
  dayFlag,
  Flags,
  pastInstant,
  REGIMES,
  REQUEST_KINDS,
  textFlag,
  uuidFlag,
  writeFlags,
  zoneFlag,
} from '../../src/console/flags/index.js';
import { GrantedWrite } from '../../src/console/granted-write.js';
import type { Outcome } from '../../src/console/outcome.js';
import { opened, openingViews } from '../../src/console/request-views.js';
import { NestctlError } from '../../src/platform/errors.js';
import type { RequestSubject } from '../../src/privacy/index.js';

const SUBJECTS = ['user', 'child', 'contact', 'email'];

export default class RequestOpen extends GrantedWrite<typeof RequestOpen> {
  static override summary = 'Take in what a person asks of their data, and start the clock of its law';
  static override description =
    'Its subject is an account, a child, an emergency contact, or an address without an account. Needs an access grant for ' +
    'the account or the family. Days are counted where the person lives.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> --kind access --user 5c1e07d2-… --channel email --asks "all you hold about me" --reason "…" --ticket PRV-12',
    '<%= config.bin %> <%= command.id %> --kind deletion --regime law25 --email oncle@example.ca --zone America/Toronto --language fr --received 2026-11-20 --channel mail --asks "…" --reason "…"',
  ];
  static override flags = {
    ...writeFlags,
    kind: Flags.option({
      options: REQUEST_KINDS,
    })({ description: 'what is asked for', required: true }),
    regime: Flags.option({ options: REGIMES })({
      description: 'the law it is made under',
      default: 'pipeda',
    }),
    user: uuidFlag({
      description: 'its subject: an account',
      exclusive: SUBJECTS.filter((one) => one !== 'user'),
    }),
    child: uuidFlag({
      description: 'its subject: a child',
      dependsOn: ['family'],
      exclusive: ['contact', 'email'],
    }),
    contact: uuidFlag({
      description: 'its subject: an emergency contact',
      dependsOn: ['family'],
      exclusive: ['email'],
    }),
    email: textFlag({ description: 'its subject: an address without an account', helpValue: 'ADDRESS' }),
    family: uuidFlag({ description: 'the family of the child or contact' }),
    asks: textFlag({
      description: "what is asked for, in the person's words",
      helpValue: 'TEXT',
      required: true,
    }),
    channel: Flags.option({ options: ['email', 'form', 'mail', 'in_person'] as const })({
      description: 'how it came',
      required: true,
    }),
    received: textFlag({ description: 'when it was received; now when absent', helpValue: 'TIME' }),
    dated: dayFlag({ description: 'the date it bears' }),
    requester: Flags.option({ options: ['self', 'guardian', 'representative'] as const })({
      description: 'who asks',
      default: 'self',
    }),
    'requester-user': uuidFlag({ description: 'the account of whoever asks for the subject' }),
    'requester-name': textFlag({ description: 'the name of whoever asks for the subject' }),
    'requester-contact': textFlag({ description: 'where they get the answer' }),
    zone: zoneFlag({ description: "where the person lives; the account's or the family's when absent" }),
    language: Flags.option({ options: ['en', 'fr'] as const })({
      description: "the language of the answer; the account's when absent",
    }),
    'duplicate-of': textFlag({
      description: 'the open request that this one is another of, and is opened all the same',
      helpValue: 'NUMBER',
    }),
  };

  async perform(): Promise<Outcome> {
    const { ensureAccess } = await import('../../src/access/index.js');
    const { openRequest, planOpening } = await import('../../src/privacy/index.js');
    const { kind, regime, asks, channel, requester, dated, zone, language, received: at } = this.flags;
    const subject = this.#subject();
    if (subject.kind === 'child' && requester === 'self') throw childAsks();
    return await this.withSession(['compliance'], async (session) => {
      if (subject.kind === 'user') await ensureAccess(session, { kind: 'user', id: subject.id }, this.flags);
      else if (subject.kind !== 'address')
        await ensureAccess(session, { kind: 'family', id: subject.family }, this.flags);
      const now = new Date();
      const wish = {
        ...{ kind, regime, subject, asks, channel, requester, dated_on: dated, zone, language },
        requester_user: this.flags['requester-user'],
        requester_name: this.flags['requester-name'],
        requester_contact: this.flags['requester-contact'],
        duplicate_of: this.flags['duplicate-of']?.toUpperCase(),
        received: (where: string) => pastInstant({ at, zone: where }, now, 'received') ?? now,
      };
      return await this.change({
        plan: () => planOpening(session, wish, now),
        show: openingViews,
        question: ({ due_on }) => `Open this request, to be answered by ${due_on}?`,
        apply: (plan) => openRequest(session, plan),
        done: opened,
      });
    });
  }

  #subject(): RequestSubject {
    const { user, child, contact, email, family } = this.flags;
    if (user !== undefined) return { kind: 'user', id: user };
    if (email !== undefined) return { kind: 'address', email };
    if (child !== undefined && family !== undefined) return { kind: 'child', id: child, family };
    if (contact !== undefined && family !== undefined) return { kind: 'contact', id: contact, family };
    throw new NestctlError(
      'Name its subject: --user, --child and --family, --contact and --family, or --email.',
      {
        kind: 'usage',
        code: 'usage',
        next: 'nestctl request open --help',
      },
    );
  }
}

const childAsks = () =>
  new NestctlError('For a child somebody else asks: --requester guardian or representative.', {
    kind: 'usage',
    code: 'usage',
    next: 'nestctl request open --help',
  });
