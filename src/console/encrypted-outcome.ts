import { NestctlError } from '../platform/errors.js';
import { type Judged, verifiedViews } from './export-views.js';
import type { Outcome } from './outcome.js';
import { text } from './views.js';

interface Recorded {
  readonly request: string;
  readonly package: string;
  readonly judged: Judged;
}

/** For what can also be told without: why it could not be found out. Passes on what is no expected failure. */
export function whyNot(error: unknown): NestctlError {
  if (error instanceof NestctlError) return error;
  throw error;
}

export function packageOutcome(judged: Judged): Outcome {
  const { proven, refused } = judged;
  return {
    result: { verified: proven !== undefined, ...(proven ?? refused ?? judged) },
    view: verifiedViews(judged),
    verdict: refused !== undefined ? 'finding' : judged.unchecked !== undefined ? 'partial' : undefined,
    // It may be a forger's key, or one of a colleague's that nobody has told this console of.
    next: refused?.kind === 'unknown_key' ? 'nestctl evidence key import --help' : undefined,
  };
}

/**
 * Of an encrypted file into which nobody looked: what its record says of it, or why that could not be asked. Throws
 * `wrong_key` and `wrong_passphrase` where something was tried, and the file is not what is wrong.
 */
export function closedOutcome(
  file: string,
  recorded: Recorded | NestctlError | undefined,
  tried: 'key' | 'passphrase' | undefined,
): Outcome {
  if (recorded === undefined) {
    const detail = 'no encrypted file of these bytes was recorded: it was changed, or is none of ours';
    const refused = {
      kind: 'edited',
      detail: tried === undefined ? detail : `this ${tried} does not open it, and ${detail}`,
    };
    return { ...packageOutcome({ refused }), next: 'nestctl export list --help' };
  }
  const unknown = recorded instanceof NestctlError ? recorded : undefined;
  const { judged } = recorded as Recorded;
  if (unknown === undefined && judged.proven === undefined) return packageOutcome(judged);
  if (tried !== undefined) throw wrong(file, tried, recorded);
  const inside =
    'What it holds was not looked at: that takes --identity FILE, --passphrase or --passphrase-command.';
  return {
    result: {
      verified: false,
      recorded:
        unknown === undefined ? { ...(recorded as Recorded), judged: undefined, ...judged.proven } : null,
      unchecked: unknown === undefined ? ['package'] : ['package', 'record'],
    },
    view: [
      unknown === undefined
        ? text(
            `Byte for byte the encrypted file that was recorded for ${(recorded as Recorded).request} (${recordName(judged)}).`,
            { mark: 'good' },
          )
        : text(`Whether this very file was recorded could not be asked. ${unknown.message}`, {
            mark: 'unknown',
          }),
      text(inside, { mark: 'unknown' }),
    ],
    verdict: 'partial',
    next: `nestctl export verify ${file} --identity KEY_FILE`,
  };
}

const recordName = ({ proven }: Judged) => `${proven?.record.chain}/${proven?.record.number}`;

function wrong(file: string, tried: 'key' | 'passphrase', recorded: Recorded | NestctlError): NestctlError {
  const known = recorded instanceof NestctlError ? undefined : recorded;
  const which =
    tried === 'key'
      ? 'export list shows the public keys that it was encrypted to; age-keygen -y prints that of an identity.'
      : 'It was typed by whoever encrypted it, and is kept nowhere: ask them, or make the package anew.';
  return new NestctlError(
    known === undefined
      ? `This ${tried} does not open ${file}, or the head of the file was changed.`
      : `This ${tried} does not open ${file}, which is byte for byte what was recorded.`,
    {
      kind: 'not_allowed',
      code: `wrong_${tried}`,
      hint: known === undefined ? `Which of both, only its record could tell. ${which}` : which,
      next: known === undefined ? 'nestctl export list --help' : `nestctl export list ${known.request}`,
    },
  );
}
