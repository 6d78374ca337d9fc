import { Help } from '@oclif/core/help';
import { unknownCommand } from './command-not-found.js';
import { TOPICS } from './help-topics.js';

/** oclif's help, with the topics below the commands. */
export default class NestctlHelp extends Help {
  override async showHelp(words: string[]): Promise<void> {
    const named = words.filter((word) => !word.startsWith('-'));
    const path = named.join(':');
    const known = (id: string) => path === id || path.startsWith(`${id}:`);
    // Of a command, what follows are its arguments.
    const there =
      path === '' ||
      this.config.topics.some(({ name }) => name === path) ||
      this.config.commandIDs.some(known);
    if (!there) throw unknownCommand(named, this.config);
    await super.showHelp(words);
  }

  protected override async showRootHelp(): Promise<void> {
    await super.showRootHelp();
    const names = Object.keys(TOPICS);
    const width = Math.max(...names.map((name) => name.length));
    const body = names.map((name) => `${name.padEnd(width)}  ${TOPICS[name]?.summary}`).join('\n');
    this.log(this.section('HELP TOPICS (nestctl help TOPIC)', body));
    this.log('');
  }
}
