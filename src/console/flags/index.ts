export * as Args from '@oclif/core/args';
export * as Flags from '@oclif/core/flags';
export { encryptFlags, openingFlags } from './encryption-flags.js';
export {
  archiveFlags,
  bundleFlags,
  bundleWish,
  eventDuties,
  eventFilter,
  eventFlags,
  exportFormats,
  loggedRowArgs,
  loggedRowFlags,
} from './event-flags.js';
export { memberChoiceFlag, moveFlags, sharedFlags } from './move-flags.js';
export {
  deadlineFlag,
  memberFlags,
  permissionsFlag,
  personFlag,
  plannedRoleFlag,
  roleFlag,
  zoneFlag,
} from './people.js';
export {
  COMPLAINT_BODIES,
  erasureArgs,
  holdArgs,
  optionalPackageArgs,
  packageArgs,
  REGIMES,
  REQUEST_KINDS,
  requestArg,
  requestArgs,
  sentFlags,
} from './request-flags.js';
export { listFlags, rowFlags, rowFormats, tableFlags } from './row-flags.js';
export { consentFlags, serverFlags, staffFlags, whyFlags, writeFlags } from './sets.js';
export { recoveryTarget, targetFlags } from './target-flags.js';
export { pastInstant, type TimeRange, timeRange, timeRangeFlags, zoneFlags, zoneOf } from './time-range.js';
export { transactionsFlag } from './transaction-flag.js';
export {
  argParser,
  countFlag,
  dayFlag,
  durationFlag,
  jsonObjectFlag,
  textFlag,
  uuidArg,
  uuidFlag,
} from './values.js';
