export { type ImpersonationWish, type PersonsRows, readAsPerson } from './read-as-person.js';
export {
  type PersonsWrite,
  type PersonsWritePlan,
  type PersonsWriteWish,
  planWriteAsPerson,
  totalOf,
  writeAsPerson,
} from './write-as-person.js';
