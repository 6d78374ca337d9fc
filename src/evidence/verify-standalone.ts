/**
 * The verifier for whoever trusts neither the console nor its database: it and all that it imports need Node.js and
 * nothing else, so that an auditor can read all of it.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT, NestctlError } from '../platform/errors.js';
import { parseEnvelope, signersOf } from '../platform/signing/dsse.js';
import { fingerprint, type Heads, type KeySet, namedKeys, parseKeySet } from '../platform/signing/key-set.js';
import type { Fault } from './fault.js';
import { digestOfFile, findSubject, type Voucher } from './find-subject.js';
import { folderStore } from './folder-store.js';
import { judgeKey } from './judge-key.js';
import { parseHead } from './parse-head.js';
import { timeOf } from './proof/event-leaf.js';
import type { ProvenEvent } from './proof/event-proof.js';
import type { Expected, ProvenBundle } from './proof/verify-bundle.js';
import { verifyProofFile } from './proof/verify-proof-file.js';
import { IN_TOTO, openRecord, readStatement } from './record.js';
import type { ChainReport } from './verify-chain.js';
import { verifyRecords } from './verify-records.js';

const USAGE = `usage: node bin/verify.js --keys KEYS.json [--head CHAIN:SIZE:SHA256]… [--file FILE]…
         [--family ID] [--to TIME|LEAF] [--json] PATH…

Checks signed evidence of nestctl with the public keys alone. PATH is a folder of chains, one chain, a single signed
record, the proof of an audit event (nestctl audit proof), or a family's whole history (nestctl audit export --bundle).
Take KEYS.json (nestctl evidence key publish) from somewhere you trust, never from beside the evidence, and compare its
fingerprint. With --family and --to a history must be of that family, and complete until then. With --head, a note of an earlier visit, it is seen too when the end of a
chain was cut off. With --file, the records are named that vouch for these very bytes: a package, a report.

Exit codes: 0 all is as it was signed; 3 something was tampered with, and what; 9 something could not be checked;
1 failure; 2 usage; 5 not found.
`;

interface Checked {
  readonly path: string;
  readonly chains: readonly Pick<ChainReport, 'chain' | 'size' | 'head' | 'faults' | 'doubts'>[];
  /** What files it vouches for, where some were asked about. */
  readonly vouches?: readonly (Voucher & { readonly file: string })[];
  /** The event of the audit log that a proof is about. */
  readonly event?: ProvenEvent;
  /** The history of a family. */
  readonly bundle?: ProvenBundle;
  /** What a single file holds that this verifier cannot judge. */
  readonly unchecked?: string;
}

export interface Verdict {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Verifies what a command line names. Never throws. */
export async function verifyStandalone(argv: readonly string[]): Promise<Verdict> {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        keys: { type: 'string' },
        head: { type: 'string', multiple: true, default: [] },
        file: { type: 'string', multiple: true, default: [] },
        family: { type: 'string' },
        to: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { exitCode: EXIT.done, stdout: USAGE, stderr: '' };
    if (values.keys === undefined || positionals.length === 0) return refused(USAGE, EXIT.usage);
    const keySet = parseKeySet(await readFile(values.keys, 'utf8'), values.keys);
    const known = values.head.map(parseHead);
    const expected = { family: values.family?.toLowerCase(), to: readTo(values.to) };
    const checked: Checked[] = [];
    const files = new Map<string, string>();
    for (const file of values.file) files.set(file, await digestOfFile(file));
    for (const path of positionals) checked.push(await verifyPath(path, keySet, known, files, expected));
    const strangers = [...files.keys()].filter(
      (file) => !checked.some(({ vouches = [] }) => vouches.some((each) => each.file === file)),
    );
    const exitCode =
      strangers.length > 0 || checked.some(({ chains }) => chains.some(({ faults }) => faults.length > 0))
        ? EXIT.finding
        : checked.some(
              ({ chains, unchecked }) =>
                unchecked !== undefined || chains.some(({ doubts }) => doubts.length > 0),
            )
          ? EXIT.partial
          : EXIT.done;
    const stdout = values.json
      ? `${JSON.stringify({ ok: exitCode === EXIT.done, keys: fingerprint(keySet.keys), checked, strangers }, null, 2)}\n`
      : [
          `keys ${fingerprint(keySet.keys)}\n`,
          ...checked.map(asText),
          ...strangers.map((file) => `STRANGER  ${oneLine(file)}: no record here is about these bytes\n`),
        ].join('');
    return { exitCode, stdout: printable(stdout), stderr: '' };
  } catch (error) {
    return refused(...explain(error));
  }
}

async function verifyPath(
  path: string,
  keySet: KeySet,
  known: readonly Heads[],
  files: ReadonlyMap<string, string>,
  expected: Expected,
): Promise<Checked> {
  if (!(await stat(path)).isDirectory()) {
    const proof = await verifyProofFile(path, keySet, expected);
    if (proof === undefined) return verifyFile(path, await readFile(path), keySet);
    if (!('refused' in proof)) return { path, chains: [], ...proof, ...leafOnly(proof) };
    const fault: Fault = { ...proof.refused, chain: 'audit log', number: null };
    return { path, chains: [{ chain: '', size: 1, head: null, faults: [fault], doubts: [] }] };
  }
  const folder = resolve(path);
  const inside = await folderStore(folder).chains();
  const outside = folderStore(dirname(folder));
  const isChain = inside.length === 0 && (await outside.chains()).includes(basename(folder));
  const chains = isChain
    ? await verifyRecords(outside, { keySet, known, only: [basename(folder)] })
    : await verifyRecords(folderStore(folder), { keySet, known });
  const store = isChain ? outside : folderStore(folder);
  const vouches: (Voucher & { readonly file: string })[] = [];
  for (const [file, digest] of files) {
    const those = await findSubject(store, keySet, chains, digest);
    vouches.push(...those.map((each) => ({ ...each, file })));
  }
  // An empty folder proves nothing.
  const empty = chains.every(({ size, faults }) => size === 0 && faults.length === 0);
  return { path, chains, vouches, ...(empty ? { unchecked: 'there is no evidence in it' } : {}) };
}

/** One envelope by itself: its bytes and its key, but not its place in a chain. */
function verifyFile(path: string, bytes: Buffer, keySet: KeySet): Checked {
  const keys = namedKeys(keySet);
  const envelope = parseEnvelope(bytes.toString('utf8'));
  if (envelope !== undefined && signersOf(envelope, keys).length > 0) {
    if (envelope.payloadType !== IN_TOTO || readStatement(envelope) === undefined) {
      return {
        path,
        chains: [],
        unchecked: `well signed, but of a kind unknown here: ${envelope.payloadType}`,
      };
    }
  }
  const alone = { size: 1, head: null, doubts: [] };
  const opened = openRecord(bytes, keys);
  if ('fault' in opened) {
    const fault: Fault = { kind: opened.fault, chain: '', number: null, detail: opened.detail };
    return { path, chains: [{ ...alone, chain: '', faults: [fault] }] };
  }
  const { record, kid } = opened;
  const { chain, number } = record;
  const judged = judgeKey(kid, record, undefined, keySet);
  if (judged?.kind === 'unproven') {
    // A thief writes any time; only the place in the chain could tell.
    return { path, chains: [], unchecked: `signed with ${kid}, stolen later: verify it within its chain` };
  }
  const faults = judged === undefined ? [] : [{ kind: judged.kind, detail: judged.detail, chain, number }];
  return { path, chains: [{ ...alone, chain, faults }] };
}

function asText({ path, chains, event, bundle, unchecked, vouches = [] }: Checked): string {
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

/** Of events that are there by their leaf alone nothing but their number can be told. */
function leafOnly(proof: object & { readonly bundle?: ProvenBundle; readonly event?: unknown }): {
  unchecked?: string;
} {
  const count = proof.bundle?.leaf_only ?? 0;
  return count === 0 ? {} : { unchecked: `of ${count} events only the leaf is there` };
}

/** A time or a leaf, as --to has it. */
function readTo(to: string | undefined): string | number | undefined {
  if (to === undefined || /^[0-9]{1,15}$/.test(to)) return to === undefined ? undefined : Number(to);
  const time = new Date(to);
  if (Number.isNaN(time.getTime()))
    throw new NestctlError(`${to} is neither a time nor the number of a leaf.`, {
      kind: 'usage',
      code: 'invalid_time',
    });
  return time.toISOString();
}

function headText(chain: string, head: ChainReport['head']): string {
  return head === null ? '' : `, head ${chain}:${head.size}:${head.hash}`;
}

const count = (size: number) => `${size} ${size === 1 ? 'record' : 'records'}`;

function explain(error: unknown): [message: string, exitCode: number] {
  if (error instanceof NestctlError) return [`${error.message}\n`, error.exitCode];
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return [`${path} does not exist.\n`, EXIT.not_found];
  if (code?.startsWith('ERR_PARSE_ARGS')) return [`${message}\n\n${USAGE}`, EXIT.usage];
  return [`It could not be read: ${code ?? 'unknown error'}.\n`, EXIT.failure];
}

function refused(message: string, exitCode: number): Verdict {
  return { exitCode, stdout: '', stderr: printable(message) };
}

/** Names come from what is being judged: nothing in them may move a cursor or end a line. */
function oneLine(text: string): string {
  return text.replaceAll('\n', '\u2424');
}

function printable(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, '\ufffd');
}
