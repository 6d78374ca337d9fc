export { type Answer, type Call, call, type Service, type Timings } from './call.js';
