export { examine } from './examine.js';
export { type Finding, finding, type Level } from './finding.js';
