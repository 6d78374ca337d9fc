export { type Letter, type Mailer, openMailer, type Timings } from './mailer.js';
export { describeMail, type MailSettings } from './settings.js';
