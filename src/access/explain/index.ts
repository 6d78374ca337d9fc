export { type ExplainWish, explainAccess } from './explain-access.js';
export { explainAsRole, type RoleWish } from './explain-as-role.js';
export { explainAt } from './explain-at.js';
export type { Explanation } from './explanation.js';
export { loadParser } from './parse-condition.js';
