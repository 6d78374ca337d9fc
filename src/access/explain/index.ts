export { type ExplainWish, explainAccess } from './explain-access.js';
export type { Explanation } from './explanation.js';
