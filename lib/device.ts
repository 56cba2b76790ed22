// Where a run computes, and why there.
import { LearnError } from './errors';
import { native } from './native';
import { type Check, invalid } from './options';

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

export function chooseDevice(device: Device = 'auto', threads?: number): DeviceInfo {
  const { cpuCapability: capability, threads: defaultThreads } = native().info();
  if (device.startsWith('cuda')) {
    throw new LearnError(
      'ERR_DEVICE',
      `Expected a device this version can train on but received '${device}': it computes on the CPU only. Use device: 'cpu' or 'auto'`,
    );
  }
  const reason = device === 'cpu' ? 'asked for' : 'this version computes on the CPU only';
  return { type: 'cpu', reason, threads: threads ?? defaultThreads, capability };
}
