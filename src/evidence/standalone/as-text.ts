import { timeOf } from '../proof/event-leaf.js';
import type { ProvenEvent } from '../proof/event-proof.js';
import type { ProvenBundle } from '../proof/verify-bundle.js';
import type { ProvenPackage } from '../proof/verify-package.js';
import type { ChainReport } from '../verify-chain.js';
import type { Checked } from './checked.js';

/** What a path turned out to be, a line a finding. */
export function asText({
  path,
  chains,
  event,
  bundle,
  package: made,
  unchecked,
  vouches = [],
}: Checked): string {
  const lines = chains.flatMap(({ chain, size, head, faults, doubts }) => {
    const of = head === null ? `record of ${chain || path}` : `chain ${chain}`;
    const found = [
      ...faults.map(
        ({ kind, number, detail }) =>
          `TAMPERED  ${of}${number === null ? '' : `, record ${number}`}: ${kind}: ${detail}`,
      ),
      ...doubts.map(({ number, detail }) => `unknown   ${of}, record ${number}: ${detail}`),
    ];
    if (found.length > 0) return found;
    const what = head === null ? 'as it was signed; its place in the chain was not looked at' : count(size);
    return [`good      ${of}: ${what}${headText(chain, head)}`];
  });
  const files = vouches.map(
    ({ file, record, type, name, made_at: madeAt, made_by: madeBy }) =>
      `good      ${file}: the ${type} ${record} of ${madeAt} by ${madeBy} is about it, as ${name}`,
  );
  const events = event === undefined ? [] : [eventText(event)];
  const histories = bundle === undefined ? [] : bundleText(bundle);
  return [
    path,
    ...lines,
    ...events,
    ...histories,
    ...(made === undefined ? [] : [packageText(made)]),
    ...files,
    ...(unchecked === undefined ? [] : [`unknown   ${unchecked}`]),
  ]
    .map((line, at) => `${at === 0 ? '' : '  '}${oneLine(line)}\n`)
    .join('');
}

function eventText({ facts, index, size, made_at: madeAt, kid }: ProvenEvent): string {
  const { id, operation, table_name: table, session_login: login, duty, request_id: request } = facts;
  const who = duty === null ? login : `${login} (${duty})`;
  const asked = request === null ? '' : `, request ${request}`;
  return `good      event ${id}: ${operation} ${table} by ${who} at ${timeOf(facts)}${asked}; leaf ${index} of ${size}, signed ${madeAt} with ${kid}`;
}

function packageText({ record, kid }: ProvenPackage): string {
  const { request, files, rows } = record.content;
  return `good      package for ${request}: every byte as it was signed, and each of its ${files} files as its manifest says; ${rows} rows; ${record.chain}/${record.number} of ${record.made_at} by ${record.made_by} with ${kid}`;
}

function bundleText(bundle: ProvenBundle): string[] {
  const { family, events, size, complete_until: until, kid, withheld, erased } = bundle;
  const { exported_by: by, exported_at: at } = bundle;
  const hidden = withheld.length === 0 ? '' : `, without ${withheld.join(', ')}`;
  return [
    `good      family ${family}: ${events === 0 ? 'no event' : `all ${events} events`} of it among the first ${size} of the log, signed ${until} with ${kid}; exported ${at} by ${by}${hidden}`,
    ...(events === 0
      ? ["empty     so it is of any id that is no family's: look whether it is the right one"]
      : []),
    ...erased.map((one) => `erased    ${one.events} events lost parts by request ${one.request}`),
  ];
}

function headText(chain: string, head: ChainReport['head']): string {
  return head === null ? '' : `, head ${chain}:${head.size}:${head.hash}`;
}

const count = (size: number) => `${size} ${size === 1 ? 'record' : 'records'}`;

/** Names come from what is being judged: nothing in them may move a cursor or end a line. */
export function oneLine(text: string): string {
  return text.replaceAll('\n', '\u2424');
}

export function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '\ufffd');
}
