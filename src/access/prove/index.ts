export { type Mutation, type Proof, type ProveOptions, proveAccess } from './prove-access.js';
export { writeScripts } from './write-scripts.js';
