// Progress bars on a terminal: one line each, as wide as the terminal allows. Used by the commands and by the demo.
import { SingleBar } from 'cli-progress';
import { bytes, count, duration, fixed, percent } from '../core/format';
import type { EpochEvent, TrainEvent } from '../loggers/events';
import type { Colors } from './terminal';

const longestBar = 40;
const shortestBar = 8;

export interface BarLine {
  label: string;
  /** 0 to 1. */
  share: number;
  text: string;
}

/** Formats `label ████░░░░  50 %  text`, without the bar if the terminal is too narrow. */
export function barLine({ label, share, text }: BarLine, columns: number, colors: Colors): string {
  const done = percent(share).replace(/\.\d/, '').padStart(5);
  // The last column stays free: some terminals wrap when it is written.
  const room = columns - 1 - label.length - done.length - text.length - 6;
  const width = Math.min(longestBar, room);
  const parts = [label, `${done}  ${text}`];
  if (width >= shortestBar) {
    const full = Math.floor(width * share);
    parts.splice(1, 0, colors.cyan('█'.repeat(full)) + colors.dim('░'.repeat(width - full)));
  }
  return parts.join('  ');
}

/** Formats the result of an epoch, with that of its validation in the place of the rate, where there was one. */
export function epochText({ loss, samples, seconds, validation }: EpochEvent): string {
  // There is no accuracy where targets are not classes.
  const accuracy = validation && !Number.isNaN(validation.accuracy) ? `, ${percent(validation.accuracy)}` : '';
  const result = validation
    ? `validation ${fixed(validation.loss, 4)}${accuracy}`
    : `${count(samples / seconds)} samples/s`;
  return `loss ${fixed(loss, 4)}  ${result}  ${duration(seconds)}`;
}

/** A bar that shows its latest line, a few times per second. */
class Bar {
  readonly #bar: SingleBar;
  #line: BarLine = { label: '', share: 0, text: '' };

  constructor(stream: NodeJS.WriteStream, colors: Colors) {
    this.#bar = new SingleBar({
      stream,
      format: () => barLine(this.#line, stream.columns || 80, colors),
      // main.ts handles interrupts.
      gracefulExit: false,
    });
  }

  show(line: BarLine): void {
    this.#line = line;
    if (this.#bar.isActive) this.#bar.update(line.share);
    else this.#bar.start(1, line.share);
  }

  /** Stops, and leaves the last line on the terminal. */
  stop(): void {
    this.#bar.stop();
  }
}

/** The bar of a training run: one line per epoch, of which the last one moves. */
export class TrainBar {
  readonly #bar: Bar;
  readonly #indent: string;

  constructor(stream: NodeJS.WriteStream, colors: Colors, indent = '') {
    this.#bar = new Bar(stream, colors);
    this.#indent = indent;
  }

  readonly onProgress = (event: TrainEvent): void => {
    const label = `${this.#indent}Epoch ${String(event.epoch).padStart(String(event.epochs).length)}/${event.epochs}`;
    if (event.type === 'epoch') {
      this.#bar.show({ label, share: 1, text: epochText(event) });
      this.#bar.stop();
    } else {
      const { loss, step, steps, samplesPerSecond, etaSeconds } = event;
      const rate = `${count(samplesPerSecond)} samples/s`;
      const text = `loss ${fixed(loss, 4)}  ${rate}  ${duration(etaSeconds)} left`;
      // A log event repeats the step that was just shown, and the epoch's event replaces the last step's line.
      if (event.type === 'step' && step < steps) this.#bar.show({ label, share: step / steps, text });
    }
  };

  stop(): void {
    this.#bar.stop();
  }
}

/** The bar of a download. */
export class DownloadBar {
  readonly #bar: Bar;
  readonly #label: string;
  #start: { time: number; received: number } | undefined;

  constructor(label: string, stream: NodeJS.WriteStream, colors: Colors) {
    this.#bar = new Bar(stream, colors);
    this.#label = label;
  }

  readonly onProgress = ({ received, total }: { received: number; total: number | undefined }): void => {
    this.#start ??= { time: performance.now(), received };
    const seconds = (performance.now() - this.#start.time) / 1000;
    const rate = seconds > 0.5 ? `  ${bytes((received - this.#start.received) / seconds)}/s` : '';
    const text = `${bytes(received)}${total ? ` of ${bytes(total)}` : ''}${rate}`;
    this.#bar.show({ label: this.#label, share: total ? received / total : 0, text });
  };

  stop(): void {
    this.#bar.stop();
  }
}
