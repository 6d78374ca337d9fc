/** One version of an object in the store. */
export interface StoredObject {
  /** Without the prefix of the context. */
  readonly key: string;
  /** Null in a bucket without versions. */
  readonly version: string | null;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 in hex, where it was known when the object was sent. */
  readonly sha256: string | null;
  readonly modified: Date;
  /** With what the store says that it has encrypted it, such as `AES256`; null where it does not say. */
  readonly encryption: string | null;
  /** Nobody can delete it before, not even its owner. */
  readonly retain_until: Date | null;
}

/** What became of something sent: it lies there, and was compared with what was sent. */
export interface Sent {
  readonly key: string;
  readonly version: string | null;
  readonly size: number;
  readonly sha256: string;
  /** How it was compared: by the store's own SHA-256, or by reading all of it again. */
  readonly verified_by: 'store_checksum' | 'read_back';
  readonly retain_until: Date | null;
  /** How many parts went over the wire now, and how many were there from an earlier try. */
  readonly parts_sent: number;
  readonly parts_found: number;
}

export interface SendOptions {
  readonly contentType?: string | undefined;
  /** Lock it (Object Lock, compliance mode) until then. */
  readonly retainUntil?: Date | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are in the store, of all; `found` of them from an earlier try. */
  readonly onProgress?:
    | ((progress: { sent: number; found: number; total: number | undefined }) => void)
    | undefined;
}
