export { describeStage } from './describe-stage.js';
export type { DownOptions, DownReport } from './down.js';
export { down } from './down.js';
export { reset } from './reset.js';
export type { LocalState, LocalStatus } from './status.js';
export { status } from './status.js';
export type { UpOptions, UpReport, UpStage } from './up.js';
export { up } from './up.js';
