export type { FamilyPage, FamilyRow, FamilySearch } from './family-page.js';
export { type FamilyListing, listFamilies } from './list-families.js';
export { lockedOutRelative } from './locked-out-relative.js';
export { familyJobs } from './maintenance-jobs.js';
export { checkSearch, searchDirectory } from './search-directory.js';
export { type SeedOptions, type SeedProgress, type SeedReport, seedFamilies } from './seed/index.js';
export {
  type Family,
  type FamilyChild,
  type FamilyInvitation,
  type FamilyMember,
  showFamily,
} from './show-family.js';
export {
  byChild,
  type Computed,
  refreshAnalytics,
  type WeekOfAll,
  type WeekOfChild,
  weeklyActivity,
  weeklyUsage,
} from './weekly-usage.js';
