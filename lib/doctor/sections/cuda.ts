// Reports on NVIDIA GPUs: which are present, which builds of libtorch fit them, and why CUDA is or is not used.
import { lookAtNvidia, type Nvidia } from '../nvidia';
import { row, section } from '../section';
import { type WhyCuda, whyCuda } from '../why-cuda';

export interface Facts extends Nvidia, Omit<WhyCuda, 'finding'> {
  /** Whether the libtorch that is used has CUDA; null if it could not be loaded. */
  readonly libtorchHasCuda: boolean | null;
}

export const cuda = section<Facts>({
  title: 'CUDA',
  async look(context) {
    const nvidia = await lookAtNvidia(context);
    const { finding: _, ...why } = whyCuda(nvidia, context);
    return { ...why, libtorchHasCuda: context.probe.info?.cuda ?? null, ...nvidia };
  },
  judge(facts, context) {
    const { finding } = whyCuda(facts, context);
    return finding === null ? [] : [finding];
  },
  rows: (facts, context) => {
    const { used, reason, command, driver, library, devices, gpus, variants, visibleDevices } = facts;
    const { finding } = whyCuda(facts, context);
    const verdict = row('verdict', reason, used ? 'good' : finding?.severity === 'warning' ? 'doubtful' : null);
    const change = command === null ? [] : [row('to change it', command)];
    const isThere = driver !== null || devices.length > 0 || library === true || gpus !== null;
    if (!isThere) return [verdict, ...change];
    return [
      verdict,
      ...change,
      row('driver', driver === null ? 'none' : (driver.version ?? 'of unknown version')),
      row('libcuda.so.1', library === true ? 'opens' : (library ?? 'could not be tried')),
      row('devices', devices.join(' ') || 'none'),
      ...(gpus ?? []).map(({ index, name, computeCapability }) =>
        row(`GPU ${index}`, computeCapability === null ? name : `${name}, compute capability ${computeCapability}`),
      ),
      ...(gpus === null ? [row('nvidia-smi', 'does not exist or fails')] : []),
      ...(visibleDevices === null ? [] : [row('visible', `CUDA_VISIBLE_DEVICES=${visibleDevices}`)]),
      ...variants.map(({ variant, minDriver, fits, installed }) =>
        row(variant, `driver from ${minDriver}: ${fits ? 'fits' : 'does not fit'}${installed ? ', installed' : ''}`),
      ),
    ];
  },
});
