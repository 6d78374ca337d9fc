import * as Args from '@oclif/core/args';
import { argParser, parseUuid, textFlag } from './values.js';

/** A request of a person by its number, in any case. */
export const requestArg = Args.custom<string>({
  parse: argParser(parseRequest),
});

function parseRequest(input: string): string {
  // Not repeated: behind --passphrase, which takes no value, it may be the passphrase.
  if (!/^REQ-\d{4}-\d{4,}$/i.test(input))
    throw new Error('what was given is no number of a request: they are as REQ-2026-0001');
  return input.toUpperCase();
}

/** The request that a command is about. */
export const requestArgs = {
  number: requestArg({ required: true, description: 'its number, such as REQ-2026-0001' }),
};

/** An erasure: by the request that it answers, or by the record of the ledger that it replays. */
export const erasureArgs = {
  number: Args.custom<string>({
    parse: argParser((input) => {
      if (/^erasures\/[1-9]\d{0,8}$/i.test(input)) return input.toLowerCase();
      if (/^REQ-/i.test(input)) return parseRequest(input);
      throw new Error(
        'what was given is neither a request, as REQ-2026-0001, nor a record of the ledger, as erasures/7',
      );
    }),
  })({
    required: true,
    description: 'of its request, such as REQ-2026-0001, or the record that it replays: erasures/7',
  }),
};

/** A legal hold by its number, in any case. */
export const holdArgs = {
  number: Args.custom<string>({
    parse: argParser((input) => {
      if (!/^HOLD-\d{4}-\d{4,}$/i.test(input))
        throw new Error(`"${input}" is no number of a hold: they are as HOLD-2026-0001`);
      return input.toUpperCase();
    }),
  })({ required: true, description: 'its number, such as HOLD-2026-0001' }),
};

const packageArg = Args.custom<string>({
  parse: argParser((input) => (/^REQ-/i.test(input) ? parseRequest(input) : parseUuid(input))),
});
const aPackage = { description: 'a request such as REQ-2026-0001, or the id of a package' };

/** A package by its id, or the request that it answers. */
export const packageArgs = { of: packageArg({ required: true, ...aPackage }) };
export const optionalPackageArgs = { of: packageArg(aPackage) };

/** What persons ask for. */
export const REQUEST_KINDS = [
  'access',
  'correction',
  'deletion',
  'portability',
  'consent_withdrawal',
] as const;

/** The laws that they ask under. */
export const REGIMES = ['pipeda', 'law25'] as const;

/** When something went out to the person; read it with `pastInstant`, in their zone. */
export const sentFlags = {
  sent: textFlag({
    description: 'when it went out, by the clocks of the person; now when absent',
    helpValue: 'TIME',
  }),
};

/** Whom persons can complain to about an answer; organization: us. */
export const COMPLAINT_BODIES = ['organization', 'commissioner', 'cai', 'court'] as const;
