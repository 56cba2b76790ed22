// Where a run computes, and why there.
import { LearnError } from './errors';
import { native } from './native';
import { type Check, invalid, isNumber } from './options';

/** `'auto'` takes the best device there is and says why; a named one is taken or refused, never replaced. */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

export interface DeviceInfo {
  type: 'cpu';
  /** Why this device was chosen. */
  reason: string;
  /** Threads that computed. */
  threads: number;
  /** Instruction set of libtorch's kernels, such as 'AVX512'. */
  capability: string;
}

export const isDevice: Check = (value, name) => {
  if (typeof value !== 'string' || !/^(auto|cpu|cuda(:\d+)?)$/.test(value))
    throw invalid("'auto', 'cpu', 'cuda' or 'cuda:N'", name, value);
};

/** `'leave-one'`: all that libtorch would take but one, for the application around the run. */
export type Threads = number | 'leave-one';

const isCount = isNumber({ integer: true, min: 1, max: 1024 });

export const isThreads: Check = (value, name) => {
  if (value === 'leave-one') return;
  if (typeof value !== 'number') throw invalid("a number or 'leave-one'", name, value);
  isCount(value, name);
};

export function chooseDevice(device: Device = 'auto', threads?: Threads): DeviceInfo {
  const { cpuCapability: capability, threads: defaultThreads } = native().info();
  if (device.startsWith('cuda')) {
    throw new LearnError(
      'ERR_DEVICE',
      `Expected a device this version can train on but received '${device}': it computes on the CPU only. Use device: 'cpu' or 'auto'`,
    );
  }
  const reason = device === 'cpu' ? 'asked for' : 'this version computes on the CPU only';
  const count = threads === 'leave-one' ? Math.max(1, defaultThreads - 1) : (threads ?? defaultThreads);
  return { type: 'cpu', reason, threads: count, capability };
}
