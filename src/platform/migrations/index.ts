export { type CatalogueOptions, catalogue } from './catalogue.js';
export type * from './catalogue-types.js';
export { type DataLoss, describeLoss } from './data-loss.js';
export { readDocuments, staleDocuments, writeDocuments } from './documents/index.js';
export type { MigrationRun } from './ledger.js';
export {
  type MigrateOptions,
  type MigrationReport,
  migrate,
  type PlannedMigration,
} from './migrate.js';
export { describeStep, type Holder, type MigrationStep, type OnStep } from './progress.js';
export { type Migration, readMigrations } from './read-migrations.js';
export { CLUSTER_ROLES } from './roles.js';
export { type RollbackOptions, type RollbackReport, rollback } from './rollback.js';
export { type CatalogueSnapshot, catalogueSnapshot, recordSnapshot } from './snapshot.js';
export { type MigrationState, type MigrationStatus, migrationHistory, migrationStatus } from './status.js';
