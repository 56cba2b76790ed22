// Status line of a learner on a terminal, updated a few times a second.
import { count, fixed, percent } from '../../core/format';
import type { LearnerMetrics } from '../../online/learner';
import type { Colors } from '../terminal';

const everyMs = 250;
/** The rate is a mean over this time. */
const windowMs = 3000;

export class StatusLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #colors: Colors;
  readonly #metrics: () => LearnerMetrics;
  readonly #timer: NodeJS.Timeout;
  /** Oldest first. */
  readonly #seen: { time: number; learned: number }[] = [];
  #shown = false;

  constructor(stream: NodeJS.WriteStream, colors: Colors, metrics: () => LearnerMetrics) {
    this.#stream = stream;
    this.#colors = colors;
    this.#metrics = metrics;
    this.#timer = setInterval(() => this.#show(), everyMs).unref();
  }

  /** Clears the line for other output, until the next update. */
  hide(): void {
    if (this.#shown) this.#stream.write('\r\x1b[K');
    this.#shown = false;
  }

  /** Keeps the last line on the terminal. */
  stop(): void {
    clearInterval(this.#timer);
    if (this.#shown) this.#stream.write('\n');
    this.#shown = false;
  }

  #show(): void {
    const metrics = this.#metrics();
    const line = statusLine(metrics, this.#rate(metrics), (this.#stream.columns || 80) - 1);
    this.#stream.write(`\r\x1b[K${line.replace(/\d[\d,]* quarantined/, this.#colors.yellow)}`);
    this.#shown = true;
  }

  #rate({ learned }: LearnerMetrics): number {
    const time = performance.now();
    this.#seen.push({ time, learned });
    while (time - this.#seen[0]!.time > windowMs) this.#seen.shift();
    const first = this.#seen[0]!;
    return time === first.time ? 0 : ((learned - first.learned) / (time - first.time)) * 1000;
  }
}

/** The parts that fit, the most important first. */
export function statusLine(metrics: LearnerMetrics, rate: number, width: number): string {
  const { updates, version, queued, quarantined, duplicates, prequential } = metrics;
  const { accuracy, loss } = prequential.windowed;
  const parts = [
    `${count(rate)} samples/s`,
    `${count(updates)} updates`,
    `${percent(accuracy)} right`,
    `loss ${Number.isNaN(loss) ? '–' : fixed(loss, 4)}`,
    `version ${version}`,
    ...(quarantined > 0 ? [`${count(quarantined)} quarantined`] : []),
    ...(duplicates > 0 ? [`${count(duplicates)} duplicates`] : []),
    `${count(queued)} queued`,
  ];
  while (parts.length > 1 && parts.join('  ').length > width) parts.pop();
  return parts.join('  ').slice(0, width);
}
