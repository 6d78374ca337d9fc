import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { DUTIES, type Duty } from '../../platform/database/duties.js';
import { NestctlError } from '../../platform/errors.js';
import { parseInstant } from '../time/parse-instant.js';
import { timeRange, timeRangeFlags } from './time-range.js';
import { formatFlag, textFlag, uuidFlag } from './values.js';

/** What events of the audit log are found by. */
export const eventFlags = {
  ...timeRangeFlags,
  family: uuidFlag({ description: 'of one family' }),
  user: uuidFlag({ description: 'by or about one person' }),
  operator: textFlag({ description: 'by one operator', helpValue: 'LOGIN' }),
  'by-duty': Flags.option({ options: DUTIES })({ description: 'by operators under one duty' }),
  table: textFlag({ description: 'of one table; of public where no schema is named' }),
  operation: Flags.option({ options: ['insert', 'update', 'delete'] as const })({
    description: 'of one kind',
  }),
  key: textFlag({ description: "of one row: its id, or its key's parts joined by /" }),
  request: textFlag({ description: 'of one request, or one run of a command' }),
  transaction: Flags.custom<string>({
    description: 'of one transaction',
    helpValue: 'XID',
    parse: async (input) => {
      if (!/^[0-9]{1,18}$/.test(input)) throw new Error(`"${input}" is not the number of a transaction`);
      return input;
    },
  })(),
  'with-ticket': textFlag({ description: 'under one ticket', helpValue: 'ID' }),
  where: textFlag({
    description: `of what a filter describes: 'table = usage_logs and new.notes ~ "night"' (nestctl help filter)`,
    helpValue: 'FILTER',
  }),
};

/** For what also answers from months that lie in the object store. */
export const archiveFlags = {
  'include-archive': Flags.boolean({
    description: 'also read archived months from the object store, each proven; not under support',
  }),
};

/** A row, as the audit log names it. */
export const loggedRowArgs = {
  table: Args.string({ required: true, description: 'the table; of public where no schema is named' }),
  key: Args.string({ required: true, description: "the row's id, or its key's parts joined by /" }),
};
/** Whose it is, for whoever reads it under an access grant. */
export const loggedRowFlags = {
  family: uuidFlag({ description: 'the family it belongs to, for an access grant' }),
  user: uuidFlag({ description: 'the person it belongs to, for an access grant' }),
};

/** In place of the one that every command has; in its type that one is enough. */
export const exportFormats: object = {
  format: formatFlag(
    ['csv', 'ndjson', 'json'],
    'csv is made for spreadsheets, with formulas disarmed; ndjson is an object a line, json an array of them',
  ),
};

const WITHHOLDABLE = ['actor', 'purpose', 'others'] as const;

/** For a family's whole history with its proof. */
export const bundleFlags = {
  bundle: textFlag({
    description: "write a family's whole history there, with the proof that it is whole",
    helpGroup: 'PROOF',
    helpValue: 'FILE|DIR',
    dependsOn: ['family'],
  }),
  withhold: Flags.option({ options: WITHHOLDABLE, multiple: true })({
    description: 'leave out who acted, why, or what is said of other people; the proof holds without',
    helpGroup: 'PROOF',
    dependsOn: ['bundle'],
  }),
};

/** What the flags of a bundle ask for; undefined where none is. Throws `usage` where a part of it is asked for. */
export function bundleWish(
  flags: Readonly<Record<string, unknown>> & {
    readonly family?: string | undefined;
    readonly bundle?: string | undefined;
    readonly withhold?: readonly (typeof WITHHOLDABLE)[number][] | undefined;
  },
) {
  const { family, bundle, withhold = [] } = flags;
  if (family === undefined || bundle === undefined) return undefined;
  const others = [...Object.keys(eventFlags), ...Object.keys(archiveFlags), 'from', 'output'].filter(
    (name) => !['family', 'zone'].includes(name),
  );
  const given = others.find((name) => flags[name] !== undefined);
  if (given !== undefined) {
    throw new NestctlError(`A history that is proven whole has no --${given}.`, {
      kind: 'usage',
      code: 'bundle_is_whole',
      hint: 'Leave it out, or export without --bundle.',
    });
  }
  return { family, path: bundle, withhold: WITHHOLDABLE.filter((part) => withhold.includes(part)) };
}

interface EventFlagValues {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly zone?: string | undefined;
  readonly family?: string | undefined;
  readonly user?: string | undefined;
  readonly operator?: string | undefined;
  readonly 'by-duty'?: Duty | undefined;
  readonly table?: string | undefined;
  readonly operation?: 'insert' | 'update' | 'delete' | undefined;
  readonly key?: string | undefined;
  readonly request?: string | undefined;
  readonly transaction?: string | undefined;
  readonly 'with-ticket'?: string | undefined;
  readonly where?: string | undefined;
}

type ReadWhere<Where> = (text: string, readTime: (input: string, edge: 'start' | 'end') => Date) => Where;

/** The filter that the flags name, and the zone its times are read in. Throws `usage`. */
export function eventFilter<Where>(flags: EventFlagValues, readWhere: ReadWhere<Where>) {
  const { family, user, operator, table, operation, key, request, transaction } = flags;
  const now = new Date();
  const { since, until, zone } = timeRange(flags, now);
  const where =
    flags.where === undefined
      ? undefined
      : readWhere(flags.where, (input, edge) => parseInstant(input, { zone, now, edge }));
  const filter = {
    ...{ family, user, operator, duty: flags['by-duty'], table, operation, key, request },
    ...{ transaction, ticket: flags['with-ticket'], since, until, where },
  };
  return { filter, zone };
}

/**
 * From the narrowest: one family or person is support's, the log as a whole an auditor's. Objects of an archive hold
 * events of many families, so that support does not read them.
 */
export function eventDuties(flags: {
  readonly family?: string | undefined;
  readonly user?: string | undefined;
  readonly 'include-archive'?: boolean | undefined;
}): readonly Duty[] {
  const scoped = flags.family !== undefined || flags.user !== undefined;
  if (flags['include-archive'])
    return scoped ? ['auditor', 'compliance', 'admin'] : ['auditor', 'sre', 'compliance', 'admin'];
  return scoped
    ? (['support', 'auditor', 'compliance', 'admin', 'sre'] as const)
    : (['auditor', 'sre', 'compliance', 'admin', 'support'] as const);
}
