import { NestctlError } from '../platform/errors.js';
import { parseEnvelope } from '../platform/signing/dsse.js';
import type { Head } from '../platform/signing/key-set.js';
import { openSigner, type Signer } from './keys/signer.js';
import { lockEvidence } from './lock-evidence.js';
import type { Evidence } from './open-evidence.js';
import { type EvidenceRecord, NAME, readStatement, type Subject, sealRecord, sha256 } from './record.js';
import { rememberHeads, seenHeads } from './seen-heads.js';

/** What a domain wants on record. */
export interface Draft {
  readonly chain: string;
  readonly type: string;
  readonly subject: readonly [Subject, ...Subject[]];
  readonly content: Readonly<Record<string, unknown>>;
}

/** A record as it was kept. */
export interface Appended {
  readonly record: EvidenceRecord;
  readonly hash: string;
  readonly kid: string;
}

/** Clocks of two machines may differ by this; more than that is a wrong clock, and nothing is signed by it. */
const SKEW_MS = 5 * 60_000;

/**
 * Signs a record, chains it to the last one and keeps it. Killed at any moment, it leaves the chain with the
 * record or without it. Throws `no_signing_key`, `chain_damaged`, `chain_cut`, `clock_behind`.
 */
export async function appendRecord(evidence: Evidence, draft: Draft): Promise<Appended> {
  return await lockEvidence(evidence, async () =>
    appendLocked(evidence, draft, await openSigner(evidence.places)),
  );
}

/** As appendRecord, for who holds the lock. */
export async function appendLocked(evidence: Evidence, draft: Draft, signer: Signer): Promise<Appended> {
  if (!NAME.test(draft.chain) || !NAME.test(draft.type)) {
    throw new TypeError('chains and types of evidence are named in kebab-case');
  }
  for (;;) {
    const last = await lastRecord(evidence, draft.chain);
    const record: EvidenceRecord = {
      chain: draft.chain,
      number: (last?.size ?? 0) + 1,
      previous: last?.hash ?? null,
      type: draft.type,
      subject: draft.subject,
      made_at: timeAfter(last?.madeAt ?? '', signer.validFrom),
      made_by: evidence.operator,
      context: evidence.context,
      content: draft.content,
    };
    const bytes = sealRecord(record, signer);
    // Taken by a writer on another machine: chain to what that one wrote.
    if (!(await evidence.store.add(draft.chain, record.number, bytes))) continue;
    const hash = sha256(bytes);
    await rememberHeads(evidence, { [draft.chain]: { size: record.number, hash } });
    return { record, hash, kid: signer.kid };
  }
}

async function lastRecord(
  evidence: Evidence,
  chain: string,
): Promise<(Head & { readonly madeAt: string }) | undefined> {
  const { store } = evidence;
  const { numbers } = await store.list(chain);
  const size = numbers.at(-1) ?? 0;
  const seen = (await seenHeads(evidence))[chain];
  if (seen !== undefined) {
    const bytes = await store.read(chain, seen.size);
    if (bytes === undefined || sha256(bytes) !== seen.hash) {
      throw refusal(
        'chain_cut',
        `The chain ${chain} is not the one this console has seen: it was cut or replaced.`,
      );
    }
  }
  if (size === 0) return undefined;
  const bytes = await store.read(chain, size);
  const envelope = bytes === undefined ? undefined : parseEnvelope(bytes.toString('utf8'));
  const record = envelope === undefined ? undefined : readStatement(envelope);
  if (bytes === undefined || record?.chain !== chain || record.number !== size) {
    throw refusal('chain_damaged', `The last record of the chain ${chain} is damaged.`);
  }
  return { size, hash: sha256(bytes), madeAt: record.made_at };
}

function refusal(code: string, message: string): NestctlError {
  return new NestctlError(message, {
    kind: 'conflict',
    code,
    hint: 'Nothing is added to a chain that does not verify.',
    next: 'nestctl evidence verify',
  });
}

/** Now, or the latest of these times where the clock is a little behind them. */
function timeAfter(...times: readonly string[]): string {
  const latest = [new Date().toISOString(), ...times].reduce((a, b) => (a > b ? a : b));
  if (Date.parse(latest) - Date.now() > SKEW_MS) {
    throw new NestctlError(`The clock of this machine is behind the last record, which was made ${latest}.`, {
      kind: 'conflict',
      code: 'clock_behind',
      hint: 'Set the clock; a record is never made before the one it follows.',
    });
  }
  return latest;
}
