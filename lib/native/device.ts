// Chooses the device of a run and explains the choice.

import { type Check, invalid, isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { cudaLibraryProblem } from '../libtorch/open';
import { type NativeDevices, native } from './native';

/** `'auto'` chooses the best available device and gives the reason. A named device is used or refused, never replaced. */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

interface AnyDeviceInfo {
  /** Why this device was chosen. */
  reason: string;
  /** Number of computing threads. */
  threads: number;
  /** Instruction set of libtorch's kernels, such as 'AVX512'. */
  capability: string;
}

/** A run on the CPU. */
export interface CpuInfo extends AnyDeviceInfo {
  type: 'cpu';
}

/** A run on a GPU. */
export interface CudaInfo extends AnyDeviceInfo {
  type: 'cuda';
  /** Index among the devices that CUDA_VISIBLE_DEVICES allows. */
  index: number;
  /** Such as 'NVIDIA H100 80GB HBM3'. */
  name: string;
  /** Compute capability, such as '9.0'. */
  computeCapability: string;
  /** Precision of float32 operations, as PyTorch's defaults: 'tf32' rounds the factors of products to 10 bits. */
  precision: { convolutions: 'tf32' | 'fp32'; matmuls: 'tf32' | 'fp32' };
  /** After training: whether steps ran as CUDA graphs, and the reason if they did not. */
  graphs?: { captured: boolean; reason?: string };
}

/** Where a run computed, and why there. */
export type DeviceInfo = CpuInfo | CudaInfo;

export const isDevice: Check = (value, name) => {
  if (typeof value !== 'string' || !/^(auto|cpu|cuda(:(0|[1-9]\d{0,5}))?)$/.test(value))
    throw invalid("'auto', 'cpu', 'cuda' or 'cuda:N'", name, value);
};

/** `'leave-one'`: one thread fewer than libtorch would use, for the rest of the application. */
export type Threads = number | 'leave-one';

export const isThreadCount = isNumber({ integer: true, min: 1, max: 1024 });

export const isThreads: Check = (value, name) => {
  if (value === 'leave-one') return;
  if (typeof value !== 'number') throw invalid("a number or 'leave-one'", name, value);
  isThreadCount(value, name);
};

export async function chooseDevice(device: Device = 'auto', threads?: Threads): Promise<DeviceInfo> {
  const { cpuCapability: capability, threads: defaultThreads, cuda } = native().info();
  const count = threads === 'leave-one' ? Math.max(1, defaultThreads - 1) : (threads ?? defaultThreads);
  const common = { threads: count, capability };
  if (device === 'cpu') return { type: 'cpu', reason: 'asked for', ...common };
  const index = device === 'auto' || device === 'cuda' ? 0 : Number(device.slice('cuda:'.length));
  // Without CUDA in libtorch there is nothing to find, and searching takes time.
  const found = cuda ? await native().findDevices(index) : withoutCuda();
  const chosen = found.problem === '' ? found.devices[index] : undefined;
  if (device === 'auto' && !chosen) return { type: 'cpu', reason: found.problem, ...common };
  if (!chosen) throw refusal(device, found);
  return {
    type: 'cuda',
    index,
    name: chosen.name,
    computeCapability: chosen.capability,
    precision: {
      convolutions: found.tf32Convolutions ? 'tf32' : 'fp32',
      matmuls: found.tf32Matmuls ? 'tf32' : 'fp32',
    },
    reason: device === 'auto' ? `the first of ${found.devices.length} that libtorch sees` : 'asked for',
    ...common,
  };
}

const builtWithout = 'this libtorch is built without CUDA';

function withoutCuda(): NativeDevices {
  const broken = cudaLibraryProblem();
  const problem = broken === null ? builtWithout : `the CUDA libraries of this libtorch do not load: ${broken}`;
  return { devices: [], problem, tf32Convolutions: false, tf32Matmuls: false };
}

function refusal(device: Device, { devices, problem }: NativeDevices): LearnError {
  const what = `Expected a device that can be used but received '${device}'`;
  if (devices.length > 0 && problem === '') {
    const there = devices.map(({ name }, index) => `cuda:${index} (${name})`).join(', ');
    return new LearnError('ERR_DEVICE', `${what}: there are ${there}. CUDA_VISIBLE_DEVICES says which are seen`);
  }
  const remedy =
    problem === builtWithout
      ? 'Install a build with CUDA (npx torch-incremental libtorch list shows which there are), or set\n' +
        'TORCH_INCREMENTAL_LIBTORCH to the folder of a torch of the same version that pip installed for CUDA; or use\n' +
        "device: 'cpu' or 'auto'"
      : "Until that is mended, use device: 'cpu' or 'auto'";
  return new LearnError('ERR_DEVICE', `${what}: ${problem}${problem.endsWith('.') ? '' : '.'} ${remedy}`);
}

/** Returns the device's name in native plans. */
export function planDevice(device: DeviceInfo): string {
  return device.type === 'cpu' ? 'cpu' : `cuda:${device.index}`;
}

/** Adds the facts that are known only after the run. */
export function afterTraining(device: DeviceInfo, notCaptured: string): DeviceInfo {
  if (device.type === 'cpu') return device;
  return {
    ...device,
    graphs: notCaptured === '' ? { captured: true } : { captured: false, reason: notCaptured },
  };
}
