import type { Command } from '@oclif/core/command';
import { ConsoleCommand } from './base-command.js';

/** A write to what an access grant opens. The grant lends its reason and ticket; without one, both are needed. */
export abstract class GrantedWrite<T extends typeof Command> extends ConsoleCommand<T> {
  protected override get purposeFromGrant(): boolean {
    return true;
  }
}
