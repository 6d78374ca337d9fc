import { describeStep } from '../migrations/index.js';
import type { UpStage } from './up.js';

/** One line for a person, undefined for what is over before it could be read. */
export function describeStage(stage: UpStage): string | undefined {
  switch (stage.type) {
    case 'waiting':
      return `waiting for another nestctl (process ${stage.pid})`;
    case 'half-made':
      return 'removed what an interrupted run had left half-made';
    case 'set-aside':
      return `moved out of the way, as nestctl did not make it: ${stage.path}`;
    case 'making':
      return 'making the database cluster';
    case 'moved':
      return `port ${stage.from} is taken by another program: moving to ${stage.to}`;
    case 'starting':
      return `starting PostgreSQL on 127.0.0.1:${stage.port}`;
    case 'recovering':
      return 'replaying what was written before the crash';
    case 'settling':
      return 'waiting for the rest of a killed server to end';
    case 'rescuing':
      return 'the superuser password was lost: setting a new one';
    case 'migrating':
      return stage.step.type === 'started' ? undefined : describeStep(stage.step);
  }
}
