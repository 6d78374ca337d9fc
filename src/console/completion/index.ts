import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { completedCommands, type Manifest } from './model.js';
import { zshScript } from './zsh.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** The whole completion script of a shell: static, so that a shell that starts runs no program for it. */
export function completionScript(shell: Shell, manifest: Manifest): string {
  return SCRIPTS[shell](completedCommands(manifest));
}
