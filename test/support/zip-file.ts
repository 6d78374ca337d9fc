import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Entry, open as openZip, type ZipFile } from 'yauzl';

/** A ZIP file as a reader that is not ours reads it. */
export class OpenZip {
  /** By path, in the order of its directory. */
  readonly entries: ReadonlyMap<string, Entry>;
  readonly #zip: ZipFile;

  private constructor(zip: ZipFile, entries: ReadonlyMap<string, Entry>) {
    this.#zip = zip;
    this.entries = entries;
  }

  static async open(path: string): Promise<OpenZip> {
    const zip = await new Promise<ZipFile>((resolve, reject) =>
      openZip(path, { autoClose: false }, (error, opened) => (error ? reject(error) : resolve(opened))),
    );
    const entries = new Map<string, Entry>();
    zip.on('entry', (entry: Entry) => void entries.set(entry.fileName, entry));
    await new Promise((resolve, reject) => zip.on('end', resolve).on('error', reject));
    return new OpenZip(zip, entries);
  }

  async stream(path: string): Promise<Readable> {
    const entry = this.entries.get(path);
    if (entry === undefined) throw new Error(`there is no ${path}`);
    return await new Promise((resolve, reject) =>
      this.#zip.openReadStream(entry, (error, stream) =>
        error ? reject(error) : resolve(stream as Readable),
      ),
    );
  }

  async text(path: string): Promise<string> {
    return await text(await this.stream(path));
  }

  close(): void {
    this.#zip.close();
  }
}
