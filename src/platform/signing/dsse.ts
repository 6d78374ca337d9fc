import { type KeyObject, sign, verify } from 'node:crypto';

/** A DSSE envelope, https://github.com/secure-systems-lab/dsse (protocol 1.0), decoded. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly EnvelopeSignature[];
}

export interface EnvelopeSignature {
  /** A hint only: nothing may be decided by it. */
  readonly keyid?: string;
  readonly sig: Buffer;
}

/** A public key under the name by which envelopes hint at it. */
export interface NamedKey {
  readonly kid: string;
  readonly key: KeyObject;
}

/** The bytes that a DSSE signature is over: "DSSEv1", type and body, each with its length in bytes. */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ]);
}

/** Signs with an Ed25519 private key. */
export function signEnvelope(
  payloadType: string,
  payload: Buffer,
  signer: { readonly kid: string; readonly key: KeyObject },
): Envelope {
  const sig = sign(null, preAuthEncoding(payloadType, payload), signer.key);
  return { payloadType, payload, signatures: [{ keyid: signer.kid, sig }] };
}

/** The names of the keys, each once, that signed the envelope. The hints order the tries and exclude none. */
export function signersOf(envelope: Envelope, keys: readonly NamedKey[]): string[] {
  const signed = preAuthEncoding(envelope.payloadType, envelope.payload);
  const signers = new Set<string>();
  for (const { keyid, sig } of envelope.signatures) {
    const hinted = [...keys].sort((a, b) => Number(b.kid === keyid) - Number(a.kid === keyid));
    const signer = hinted.find(({ key }) => verify(null, signed, key, sig));
    if (signer !== undefined) signers.add(signer.kid);
  }
  return [...signers];
}

/** The recommended JSON form, on one line, ending it. */
export function serializeEnvelope({ payload, payloadType, signatures }: Envelope): string {
  const envelope = {
    payload: payload.toString('base64'),
    payloadType,
    signatures: signatures.map(({ keyid, sig }) => ({
      ...(keyid === undefined ? {} : { keyid }),
      sig: sig.toString('base64'),
    })),
  };
  return `${JSON.stringify(envelope)}\n`;
}

/** Reads the JSON form, either base64 alphabet; undefined where the text is no envelope. */
export function parseEnvelope(text: string): Envelope | undefined {
  const value = parseJson(text);
  if (!isObject(value) || typeof value.payloadType !== 'string' || !Array.isArray(value.signatures)) return;
  const payload = decodeBase64(value.payload ?? '');
  const signatures = value.signatures.map(readSignature);
  if (payload === undefined || !signatures.every((signature) => signature !== undefined)) return;
  return { payloadType: value.payloadType, payload, signatures };
}

function readSignature(value: unknown): EnvelopeSignature | undefined {
  if (!isObject(value)) return;
  const sig = decodeBase64(value.sig);
  if (sig === undefined) return;
  if (value.keyid === undefined || value.keyid === '') return { sig };
  return typeof value.keyid === 'string' ? { keyid: value.keyid, sig } : undefined;
}

/** Node's own decoder skips what is not base64, and would take damaged text for whole. */
function decodeBase64(text: unknown): Buffer | undefined {
  if (typeof text !== 'string') return;
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = Buffer.from(standard, 'base64');
  const unpadded = (encoded: string) => encoded.replace(/={0,2}$/, '');
  return unpadded(bytes.toString('base64')) === unpadded(standard) ? bytes : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
