// Formats numbers for people.

/** Formats as Python's `f'{value:.{digits}f}'`: correctly rounded, and an exact tie goes to the even digit. */
export function fixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value < 0 || Object.is(value, -0)) return `-${fixed(-value, digits)}`;
  if (value === Infinity) return 'inf';
  // toFixed would use an exponent. Such a large number is an integer.
  if (value >= 1e21) return `${BigInt(value)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
  const text = value.toFixed(digits);
  // toFixed also rounds exactly, but rounds ties up. A double is a tie only if its last binary digit is digits + 1.
  const isTie = (value * 2 ** (digits + 1)) % 2 === 1;
  const last = Number(text.at(-1));
  return isTie && last % 2 === 1 ? text.slice(0, -1) + (last - 1) : text;
}

/** Formats 1234567 as '1,234,567', whatever the system's language. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Formats a number of things: '1 tensor', '2,000 tensors'. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Formats 0.4567 as '45.7 %', and NaN as '–'. */
export function percent(share: number): string {
  return Number.isNaN(share) ? '–' : `${(100 * share).toFixed(1)} %`;
}

/** Formats bytes as '12 B' or '1.3 MB', in powers of 1000. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 999.95 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 ? scaled : scaled.toFixed(1)} ${units[unit]}`;
}

/** Formats seconds as '4.2 s', '1:23' or '2:03:04'. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (part: number) => String(part % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${two(whole)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes)}:${two(whole)}`;
}
