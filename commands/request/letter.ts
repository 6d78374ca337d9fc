import { ConsoleCommand } from '../../src/console/base-command.js';
import { Flags, requestArgs, staffFlags, textFlag } from '../../src/console/flags/index.js';
import type { Outcome } from '../../src/console/outcome.js';
import { text } from '../../src/console/views.js';

export default class RequestLetter extends ConsoleCommand<typeof RequestLetter> {
  static override summary =
    'Write the letter to whoever made a request: acknowledgement, extension, refusal or answer';
  static override description =
    'In their language unless --language says otherwise. The notice of an extension gives the new limit, the reasons and the ' +
    'right to complain; a refusal its reasons, and to whom and until when they can complain.';
  static override examples = [
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --of acknowledgement --output letter.txt',
    '<%= config.bin %> <%= command.id %> REQ-2026-0001 --of extension --language fr --html lettre.html',
  ];
  static override args = requestArgs;
  static override flags = {
    ...staffFlags,
    of: Flags.option({ options: ['acknowledgement', 'extension', 'refusal', 'answer'] as const })({
      description: 'which letter',
      required: true,
    }),
    language: Flags.option({ options: ['en', 'fr'] as const })({
      description: 'its language; that of the request when absent',
    }),
    html: textFlag({ description: 'write it as a page to this file too', helpValue: 'FILE' }),
  };

  async perform(): Promise<Outcome> {
    const { composeLetter, letterText, showRequest, writeLetter } = await import(
      '../../src/privacy/index.js'
    );
    const { of, html } = this.flags;
    const file = await this.withSession(['compliance'], (session) => showRequest(session, this.args.number));
    const language = this.flags.language ?? file.request.language;
    const letter = composeLetter(file, of, new Date());
    if (html !== undefined) await writeLetter(letter, html, language);
    const written = letterText(letter, language);
    return {
      result: { number: file.request.number, of, language, text: written, html: html ?? null },
      view: written.split('\n').map((line) => text(line)),
    };
  }
}
