/** The server that letters are handed to, and who we are there; never the password itself. */
export interface MailSettings {
  readonly host: string;
  readonly port: number;
  /** starttls: begun in the clear and upgraded before anything is said, or given up; none: on this machine only. */
  readonly tls: 'implicit' | 'starttls' | 'none';
  /** The address that letters come from, where answers to them are read unless `replyTo` names another. */
  readonly from: string;
  readonly replyTo?: string | undefined;
  /** Undefined where the server takes letters from anybody. */
  readonly login?: { readonly user: string; readonly password: () => Promise<string> } | undefined;
  /** PEM file of the authority that signed the server's certificate, where the system does not know it. */
  readonly caFile?: string | undefined;
}

/** `mail.example.ca:465`, for errors. */
export function describeMail({ host, port }: Pick<MailSettings, 'host' | 'port'>): string {
  return `${host}:${port}`;
}
