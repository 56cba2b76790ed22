// Shared by the tests of devices: runs whose plans are changed on their way to the addon. No public option leads to
// the loop for devices on the CPU, or to batches made by the code for devices; the plans do.
import { native } from '../../dist/native/native.js';

async function withPlans(name, change, use) {
  const addon = native();
  const original = addon[name];
  addon[name] = (plan, ...rest) => original.call(addon, { ...plan, ...change }, ...rest);
  try {
    return await use();
  } finally {
    addon[name] = original;
  }
}

/** Trainings within `use` run the loop for devices, on the CPU where no other device was asked for. */
export const inDeviceLoop = (use) => withPlans('train', { loop: 'device' }, use);

/** Batches within `use` are made on `device`. */
export const madeOn = (device, use) => withPlans('makeBatches', { device }, use);

/** Batches within `use` are made in the memory layout of fast mode. */
export const inChannelsLast = (use) => withPlans('makeBatches', { channelsLast: true }, use);

/** Whether all numbers of two states are as close as roundings of a run leave them. */
export function closeStates(a, b, tolerance) {
  return a.names.every((name) => {
    const [x, y] = [a.tensor(name).data, b.tensor(name).data];
    return x.every(
      (value, index) => Math.abs(Number(value) - Number(y[index])) <= tolerance * (1 + Math.abs(Number(value))),
    );
  });
}
