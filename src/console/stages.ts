import { paintFor } from './colour.js';
import { safeText } from './safe-text.js';

/** Work that can be counted. */
export interface Count {
  /** What is counted, such as `families`. */
  readonly what: string;
  readonly done: number;
  readonly total: number;
  /** More on where it is, such as `33112 usage logs`. */
  readonly detail?: string;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/** Between two drawings of the live line, and between two plain lines of one count, milliseconds. */
const BLINK = 120;
const PATIENCE = 5_000;
const BAR = 24;

/** Whether a stream shows a line that is drawn over: a terminal with a cursor, and nobody's build log. */
export function canRedraw(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb' && !env.CI;
}

/**
 * What a long command is doing, on stderr: each stage a line, the current one with a clock or a bar where the
 * terminal can; plain lines elsewhere. Also remembers it, for whoever interrupts.
 */
export class Stages {
  readonly #stream: NodeJS.WriteStream;
  readonly #live: boolean;
  readonly #done: string[] = [];
  #now: string | undefined;
  #count: Count | undefined;
  #since = 0;
  #told = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream = process.stderr, live = canRedraw(stream)) {
    this.#stream = stream;
    this.#live = live;
  }

  get done(): readonly string[] {
    return this.#done;
  }

  get now(): string | undefined {
    return this.#now;
  }

  /** Begins a stage; the one before is over. */
  begin(label: string): void {
    this.#settle();
    this.#now = label;
    this.#since = Date.now();
    if (this.#live) this.#animate();
    else this.#line(label);
  }

  /** Ends the stage at work under another name, such as with how long it took. */
  finish(label: string): void {
    this.#now = label;
    if (!this.#live) this.#line(label);
    this.#settle();
  }

  /** Tells how far the counted work has come. The first count begins it, the whole count ends it. */
  count(count: Count): void {
    if (this.#count === undefined || this.#count.what !== count.what) {
      this.#settle();
      this.#since = Date.now();
      this.#told = 0;
    }
    this.#count = count;
    this.#now = countText(count);
    if (this.#live) this.#animate();
    const due = Date.now() - this.#told >= PATIENCE;
    if (!this.#live && due && count.done < count.total) {
      this.#told = Date.now();
      this.#line(this.#now);
    }
    if (count.done >= count.total) this.#settle();
  }

  /** Leaves the terminal as a line of text would: nothing moves any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!this.#live || this.#now === undefined) return;
    this.#stream.write('\r\u001b[K');
    this.#line(this.#now);
    this.#now = undefined;
  }

  /** Takes the live line away while something else is written; the next blink brings it back. */
  yield(): void {
    if (this.#timer !== undefined) this.#stream.write('\r\u001b[K');
  }

  #settle(): void {
    if (this.#now === undefined) return;
    const label = this.#now;
    const counted = this.#count !== undefined;
    if (this.#live) this.stop();
    else if (counted) this.#line(label);
    this.#done.push(label);
    this.#now = undefined;
    this.#count = undefined;
  }

  #animate(): void {
    this.#draw();
    this.#timer ??= setInterval(() => this.#draw(), BLINK).unref();
  }

  #draw(): void {
    const paint = paintFor(this.#stream);
    const passed = Date.now() - this.#since;
    const count = this.#count;
    const frame = FRAMES[Math.floor(Date.now() / BLINK) % FRAMES.length] ?? '·';
    const text =
      count === undefined
        ? `${frame} ${safeText(this.#now ?? '')}${passed < 2_000 ? '' : ` ${seconds(passed)}`}`
        : `${bar(count)} ${safeText(countText(count))}${left(count, passed)}`;
    const width = (this.#stream.columns || 80) - 1;
    this.#stream.write(`\r\u001b[K${paint('muted', [...text].slice(0, width).join(''))}`);
  }

  #line(text: string): void {
    this.#stream.write(`· ${safeText(text)}\n`);
  }
}

function countText({ what, done, total, detail }: Count): string {
  return `${done} of ${total} ${what}${detail === undefined ? '' : `, ${detail}`}`;
}

function bar({ done, total }: Count): string {
  const full = total <= 0 ? BAR : Math.min(BAR, Math.floor((done / total) * BAR));
  return `${'━'.repeat(full)}${'╌'.repeat(BAR - full)}`;
}

/** How long the rest takes at the pace so far; nothing where it is too early to say. */
function left({ done, total }: Count, passed: number): string {
  if (done <= 0 || done >= total || passed < 1_500) return '';
  return `, about ${seconds((passed / done) * (total - done))} left`;
}

function seconds(duration: number): string {
  const whole = Math.max(1, Math.round(duration / 1000));
  return whole < 90 ? `${whole} s` : `${Math.round(whole / 60)} min`;
}
