import type { Context } from '../config/contexts.js';
import { mailSettings } from '../config/services.js';
import { type Finding, finding } from '../doctor/finding.js';
import { describeMail, openMailer } from '../mail/index.js';
import { attempt } from './attempt.js';

/** Whether the mail server takes our login, encrypted as the context wants it. No letter is sent. */
export async function checkMail(context: Context): Promise<Finding[]> {
  const settings = mailSettings(context);
  if (settings === undefined)
    return [finding('mail server', 'info', 'none is named: no code is sent by e-mail')];
  const object = describeMail(settings);
  return await attempt('mail server', async () => {
    (await openMailer(settings)).close();
    const how = settings.tls === 'none' ? 'on this machine, in clear text' : 'over TLS';
    return [
      finding('mail server', 'ok', `${settings.login === undefined ? 'answers' : 'lets us in'} ${how}`, {
        object,
      }),
    ];
  });
}
