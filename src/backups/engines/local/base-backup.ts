import type { WriteStream } from 'node:fs';
import type { Submittable, Connection as Wire } from 'pg';

/** Where a backup began or ended. */
export interface Place {
  readonly lsn: string;
  readonly timeline: number;
}

export interface Streams {
  /** The cluster as one tar. */
  readonly base: WriteStream;
  readonly manifest: WriteStream;
}

interface Message {
  readonly fields?: readonly (string | null)[];
  readonly chunk?: Buffer;
}

/** What begins a message of the copy: its first byte (protocol-replication, BASE_BACKUP). */
const [NEW_ARCHIVE, MANIFEST, DATA] = ['n', 'm', 'd'].map((letter) => letter.charCodeAt(0));

/**
 * BASE_BACKUP over a connection of the replication protocol, streamed into two files no faster than they take it. A plain query of
 * the driver hands over no data of a copy. Every file of the manifest has its SHA-256; the log is taken from the archive.
 */
export class BaseBackup implements Submittable {
  readonly #places: Place[] = [];
  readonly #done: Promise<readonly [start: Place, stop: Place]>;
  #settle!: { resolve: (places: readonly [Place, Place]) => void; reject: (error: Error) => void };
  #into: WriteStream | undefined;
  #archives = 0;
  #waiting = false;
  #error: Error | undefined;

  constructor(
    private readonly label: string,
    private readonly streams: Streams,
    private readonly onBytes: (bytes: number) => void,
  ) {
    this.#done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** Where it began and ended. */
  get done(): Promise<readonly [start: Place, stop: Place]> {
    return this.#done;
  }

  submit(wire: Wire): void {
    wire.query(
      `BASE_BACKUP (LABEL '${this.label}', CHECKPOINT 'fast', WAL false, WAIT true, MANIFEST 'yes', MANIFEST_CHECKSUMS 'SHA256', TABLESPACE_MAP true)`,
    );
  }

  handleRowDescription(): void {}

  handleDataRow({ fields = [] }: Message): void {
    // Start and end have two columns; what stands between lists tablespaces.
    const [lsn, timeline] = fields;
    if (fields.length === 2 && lsn && timeline) this.#places.push({ lsn, timeline: Number(timeline) });
  }

  handleCopyData({ chunk }: Message, wire: Wire & { stream: NodeJS.ReadableStream }): void {
    if (chunk === undefined || this.#error !== undefined) return;
    const [kind] = chunk;
    if (kind === NEW_ARCHIVE) {
      this.#archives += 1;
      this.#into = this.streams.base;
      // A tablespace comes as an archive of its own, after that of the cluster or before it.
      if (this.#archives > 1) this.#error = new Error('tablespaces');
      return;
    }
    if (kind === MANIFEST) {
      this.#into = this.streams.manifest;
      return;
    }
    if (kind !== DATA || this.#into === undefined) return;
    this.onBytes(chunk.length - 1);
    // A copy: the driver uses its buffer again.
    const full = !this.#into.write(Buffer.from(chunk.subarray(1)));
    // More may come from what was read already.
    if (!full || this.#waiting) return;
    this.#waiting = true;
    wire.stream.pause();
    this.#into.once('drain', () => {
      this.#waiting = false;
      wire.stream.resume();
    });
  }

  handleCommandComplete(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}

  handleError(error: Error): void {
    this.#error = error;
    this.#settle.reject(error);
  }

  handleReadyForQuery(): void {
    const [start, stop] = this.#places;
    if (this.#error !== undefined) this.#settle.reject(this.#error);
    else if (start === undefined || stop === undefined) this.#settle.reject(new Error('no places'));
    else this.#settle.resolve([start, stop]);
  }
}
