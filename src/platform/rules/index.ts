export { askRules, type RuleFinding } from './ask-rules.js';
export { type Rule, readRules } from './read-rules.js';
