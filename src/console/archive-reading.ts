import { NestctlError } from '../platform/errors.js';
import { formatBytes } from './format-bytes.js';
import type { Count } from './stages.js';

interface Reading {
  readonly months: readonly string[];
  readonly objects: number;
  readonly bytes: number;
  readonly events: number;
}

/** Months named at once. */
const NAMED = 6;

/** Tells on stderr what is read of the archive before it is, and how far that has come. */
export function tellArchive(
  tell: (message: string) => void,
  count: (count: Count) => void,
): {
  readonly onBegin: (reading: Reading) => void;
  readonly onProgress: (done: number, total: number) => void;
} {
  return {
    onBegin: ({ months, objects, bytes, events }) => {
      const some =
        months.length > NAMED ? `${months.slice(0, NAMED).join(', ')} and more` : months.join(', ');
      const much = `${objects} objects, ${formatBytes(bytes)}, ${events.toLocaleString('en-CA')} events`;
      tell(`reading the archive of ${some}: ${much}`);
    },
    onProgress: (done, total) => count({ what: 'archived events', done, total }),
  };
}

/** Throws `usage` for flags that archived months are not read with. */
export function requireArchiveFlags(flags: {
  readonly server?: string | undefined;
  readonly from?: string | undefined;
}): void {
  if (flags.server === 'replica')
    throw refused(
      '--server replica',
      'The events are put beside the log in a temporary table, and a replica takes none.',
    );
  if (flags.from !== undefined)
    throw refused(
      '--from',
      'It goes on in the order of transactions, and archives are in the order of time.',
    );
}

function refused(flag: string, why: string): NestctlError {
  return new NestctlError(`--include-archive and ${flag} do not go together.`, {
    kind: 'usage',
    code: 'archive_flags',
    hint: why,
  });
}
