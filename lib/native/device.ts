// Where a run computes, and why there.

import { type Check, invalid, isNumber } from '../core/checks';
import { LearnError } from '../core/errors';
import { cudaLibraryProblem } from '../libtorch/open';
import { type NativeDevices, native } from './native';

/** `'auto'` takes the best device there is and says why; a named one is taken or refused, never replaced. */
export type Device = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`;

interface AnyDeviceInfo {
  /** Why this device was chosen. */
  reason: string;
  /** Threads that computed. */
  threads: number;
  /** Instruction set of libtorch's kernels, such as 'AVX512'. */
  capability: string;
}

export interface CpuInfo extends AnyDeviceInfo {
  type: 'cpu';
}

export interface CudaInfo extends AnyDeviceInfo {
  type: 'cuda';
  /** Of the devices that CUDA_VISIBLE_DEVICES leaves. */
  index: number;
  /** Such as 'NVIDIA H100 80GB HBM3'. */
  name: string;
  /** Compute capability, such as '9.0'. */
  computeCapability: string;
  /** How float32 is computed, as PyTorch's defaults have it: 'tf32' rounds the factors of products to 10 bits. */
  precision: { convolutions: 'tf32' | 'fp32'; matmuls: 'tf32' | 'fp32' };
  /** After training: whether steps ran as CUDA graphs, and why if they did not. */
  graphs?: { captured: boolean; reason?: string };
}

export type DeviceInfo = CpuInfo | CudaInfo;

export const isDevice: Check = (value, name) => {
  if (typeof value !== 'string' || !/^(auto|cpu|cuda(:(0|[1-9]\d{0,5}))?)$/.test(value))
    throw invalid("'auto', 'cpu', 'cuda' or 'cuda:N'", name, value);
};

/** `'leave-one'`: all that libtorch would take but one, for the application around the run. */
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
  // Where libtorch has no CUDA there is nothing to look for, and looking takes time.
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

/** As native plans name it. */
export function planDevice(device: DeviceInfo): string {
  return device.type === 'cpu' ? 'cpu' : `cuda:${device.index}`;
}

/** What only the run could tell. */
export function afterTraining(device: DeviceInfo, notCaptured: string): DeviceInfo {
  if (device.type === 'cpu') return device;
  return {
    ...device,
    graphs: notCaptured === '' ? { captured: true } : { captured: false, reason: notCaptured },
  };
}
