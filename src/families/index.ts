export type { FamilyPage, FamilyRow, FamilySearch } from './family-page.js';
export { findPeople, type MaskedPerson } from './find-people.js';
export { type FamilyListing, type FamilySort, listFamilies } from './list-families.js';
export { lockedOutRelative } from './locked-out-relative.js';
export { familyJobs } from './maintenance-jobs.js';
export { type Account, showAccount } from './manage/account.js';
export { addMember, type MemberAddition, planMember } from './manage/add-member.js';
export { type AccountVerb, changeAccount, planAccountChange } from './manage/change-account.js';
export { changeFamily, type FamilyWish, planFamilyChange } from './manage/change-family.js';
export { changeMember, type MemberWish, planMemberChange } from './manage/change-member.js';
export { createFamily } from './manage/create-family.js';
export {
  changeInvitation,
  createInvitation,
  type Invitation,
  type InvitationWish,
  listInvitations,
  planInvitationChange,
} from './manage/invitations.js';
export { linkAccounts, planAccountLink } from './manage/link-accounts.js';
export { listMembers, type Membership, type Role } from './manage/membership.js';
export { planCoreTransfer, transferCore } from './manage/transfer-core.js';
export { makeMove, refuseUndecided } from './move/make-move.js';
export { memberDecisions, planMove, planUndo } from './move/plan-move.js';
export { showChild } from './move/show-child.js';
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
