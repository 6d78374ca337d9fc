import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { DUTIES, type Duty } from '../../platform/database/duties.js';
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
  'with-ticket': textFlag({ description: 'under one ticket', helpValue: 'ID' }),
  where: textFlag({
    description: `of what a filter describes: 'table = usage_logs and new.notes ~ "night"' (nestctl help filter)`,
    helpValue: 'FILTER',
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
  readonly 'with-ticket'?: string | undefined;
  readonly where?: string | undefined;
}

type ReadWhere<Where> = (text: string, readTime: (input: string, edge: 'start' | 'end') => Date) => Where;

/** The filter that the flags name, and the zone its times are read in. Throws `usage`. */
export function eventFilter<Where>(flags: EventFlagValues, readWhere: ReadWhere<Where>) {
  const { family, user, operator, table, operation, key, request } = flags;
  const now = new Date();
  const { since, until, zone } = timeRange(flags, now);
  const where =
    flags.where === undefined
      ? undefined
      : readWhere(flags.where, (input, edge) => parseInstant(input, { zone, now, edge }));
  const filter = {
    ...{ family, user, operator, duty: flags['by-duty'], table, operation, key, request },
    ...{ ticket: flags['with-ticket'], since, until, where },
  };
  return { filter, zone };
}

/** From the narrowest: one family or person is support's, the log as a whole an auditor's. */
export function eventDuties(flags: {
  readonly family?: string | undefined;
  readonly user?: string | undefined;
}) {
  const scoped = flags.family !== undefined || flags.user !== undefined;
  return scoped
    ? (['support', 'auditor', 'compliance', 'admin', 'sre'] as const)
    : (['auditor', 'sre', 'compliance', 'admin', 'support'] as const);
}
