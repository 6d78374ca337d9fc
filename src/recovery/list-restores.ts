import { identify } from '../platform/local/process-identity.js';
import { runningServer } from '../platform/local/server.js';
import { type Restore, readRestore, restoreIds } from './isolated/folder.js';

export interface RestoreStatus extends Omit<Restore, 'stage' | 'console'> {
  /** stopped: its server was ended; interrupted: its console was, before it was open. */
  readonly state: 'copying' | 'replaying' | 'open' | 'stopped' | 'interrupted';
}

/** What is restored on this machine, newest first. */
export async function listRestores(): Promise<RestoreStatus[]> {
  const restores = await Promise.all((await restoreIds()).map(readRestore));
  return await Promise.all(
    restores
      .filter((restore) => restore !== undefined)
      .map(async ({ stage, console: at, ...restore }) => ({
        ...restore,
        state: await stateOf(stage, at, restore.data),
      })),
  );
}

async function stateOf(
  stage: Restore['stage'],
  at: Restore['console'],
  data: string,
): Promise<RestoreStatus['state']> {
  if (stage === 'open') return (await runningServer(data)) === undefined ? 'stopped' : 'open';
  return (await identify(at.pid))?.start === at.start ? stage : 'interrupted';
}
