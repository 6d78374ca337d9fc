import { ConsoleCommand } from '../../src/console/base-command.js';
import {
  Flags,
  listFlags,
  REGIMES,
  REQUEST_KINDS,
  staffFlags,
  uuidFlag,
} from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { daysCell, stateCell, subjectText, withoutSeen } from '../../src/console/request-views.js';
import { type Column, table } from '../../src/console/views.js';
import type { ListedRequest, RequestSort } from '../../src/privacy/index.js';

const COLUMNS: readonly Column<ListedRequest, RequestSort>[] = [
  { name: 'number', value: ({ number }) => number, sort: 'number' },
  {
    name: 'days left',
    value: ({ days_left: days }) => daysCell(days),
    raw: (one) => one.days_left,
    keep: true,
  },
  { name: 'due', value: ({ due_on }) => due_on, sort: 'due', keep: true },
  { name: 'asks for', value: ({ kind }) => kind, sort: 'kind', keep: true },
  { name: 'law', value: ({ regime }) => regime, sort: 'law' },
  { name: 'state', value: stateCell, raw: ({ state }) => state, keep: true },
  { name: 'subject', value: subjectText },
  { name: 'asked by', value: ({ requester }) => requester },
  { name: 'received', value: ({ received_at }) => received_at, sort: 'received' },
  { name: 'because', value: ({ state_reason }) => state_reason, extra: true },
  { name: 'verified', value: ({ identity_verified_at }) => identity_verified_at, extra: true },
  { name: 'answered', value: ({ answered_at }) => answered_at, extra: true },
  { name: 'recourse until', value: ({ recourse_until }) => recourse_until, extra: true },
];

export default class RequestList extends ConsoleCommand<typeof RequestList> {
  static override summary = 'List the requests of persons that wait for an answer, the most urgent first';
  static override description =
    'Days are those that are left where the person lives. Beyond the limit silence is a refusal; an answer is owed all the same.';
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --all --sort received:desc --format csv --output requests.csv',
  ];
  static override flags = {
    ...staffFlags,
    ...listFlags({ columns: COLUMNS, default: 50, max: 1000 }),
    all: Flags.boolean({ description: 'also those that were answered or withdrawn', default: false }),
    kind: Flags.option({
      options: REQUEST_KINDS,
    })({ description: 'only those that ask for this' }),
    regime: Flags.option({ options: REGIMES })({
      description: 'only those of this law',
    }),
    user: uuidFlag({ description: 'only those about this account, or asked for by it' }),
  };

  async perform(): Promise<Outcome> {
    const { listRequests } = await import('../../src/privacy/index.js');
    const { all: ended, kind, regime, user, limit, cursor, sort } = this.flags;
    const page = await this.withSession(['compliance', 'auditor'], (session) =>
      listRequests(session, { ended, kind, regime, user, limit, cursor, sort }),
    );
    const { overdue } = page;
    if (overdue > 0)
      this.warning(
        'overdue',
        `${overdue === 1 ? 'A request is' : `${overdue} requests are`} past the limit.`,
      );
    return {
      result: { requests: page.requests.map(withoutSeen), overdue },
      nextCursor: page.nextCursor,
      view: table(page.requests, COLUMNS, ended ? 'No requests.' : 'No request waits for an answer.'),
    };
  }
}
