// Explains in one sentence why CUDA is or is not used, with the command that would change it.
import { compareVersions, runs } from '../libtorch/driver';
import { type CudaVariant, covers, type Nvidia } from './nvidia';
import type { Context, Finding } from './section';
import { capital, note, warning } from './section';

export interface WhyCuda {
  readonly used: boolean;
  readonly reason: string;
  /** The command that would change it; null if none exists. */
  readonly command: string | null;
  /** null if nothing is wrong. */
  readonly finding: Finding | null;
}

const install = 'npx torch-incremental libtorch install --variant';
const withGpus = 'docker run --gpus all …';

export function whyCuda(nvidia: Nvidia, context: Context): WhyCuda {
  const { probe } = context;
  if (probe.device?.type === 'cuda') {
    const { index, name, reason } = probe.device;
    return { used: true, reason: `CUDA is used: cuda:${index} (${name}), ${reason}.`, command: null, finding: null };
  }
  if (probe.info === null || probe.device === null)
    return quiet('Whether CUDA can be used is not known, because nothing could be loaded.');
  if (probe.cudaLibraries !== null)
    return loud(
      'cuda-libraries',
      `CUDA is not used, because libtorch's own libraries for it do not open: ${probe.cudaLibraries}.`,
      'Install a build that holds all of them',
      installing(nvidia.variants.find((one) => one.variant === context.chosen?.variant) ?? nvidia.variants[0]),
    );
  return probe.info.cuda ? whyUnusable(nvidia, context) : whyWithout(nvidia, context);
}

/** libtorch has CUDA, but the GPU is not used. That is a warning, because a build with CUDA is installed on purpose. */
function whyUnusable({ driver, library, devices, gpus, visibleDevices, variants }: Nvidia, context: Context): WhyCuda {
  const own = variants.find(({ variant }) => variant === context.chosen?.variant);
  const cpu = `${install} cpu`;
  if (visibleDevices !== null && /^(-1.*|none|nodevfiles|\s*)$/i.test(visibleDevices))
    return loud(
      'cuda-hidden',
      `CUDA is not used, because CUDA_VISIBLE_DEVICES='${visibleDevices}' hides every GPU.`,
      'Unset it',
      'unset CUDA_VISIBLE_DEVICES',
    );
  if (driver === null && devices.length === 0 && library !== true)
    return loud(
      'cuda-no-driver',
      'CUDA is not used, because there is no NVIDIA driver: no libcuda.so.1 and no /dev/nvidia*.',
      'Install the driver; in a container, give it the GPUs; or use the CPU build, which is smaller',
      cpu,
    );
  if (devices.length > 0 && typeof library === 'string')
    return loud(
      'cuda-no-libcuda',
      `CUDA is not used, because the GPU's device files exist, but the driver's library does not open (${library}).`,
      'In a container: install the NVIDIA Container Toolkit on the host, and start it with --gpus all and ' +
        'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
      withGpus,
    );
  if (devices.length === 0 && library === true)
    return loud(
      'cuda-no-devices',
      "CUDA is not used, because the driver's library exists, but no GPU does (/dev/nvidia*).",
      'In a container: start it with --gpus all. Otherwise see the output of nvidia-smi',
      withGpus,
    );
  if (own && driver && !runs(own.minDriver, driver)) {
    const better = variants.find((one) => one.fits);
    return loud(
      'driver-too-old',
      `CUDA is not used, because the NVIDIA driver ${driver.version} is too old: CUDA ${own.cuda} needs ${own.minDriver} or newer.`,
      better ? 'Install a newer driver, or a build that this one runs' : 'Install a newer driver',
      better ? installing(better) : null,
    );
  }
  const foreign =
    own && gpus?.length ? gpus.find((gpu) => !covers(own.gpuArchitectures, gpu.computeCapability)) : undefined;
  if (own?.gpuArchitectures && foreign) {
    const better = variants.find((one) => one.fits);
    return loud(
      'gpu-not-built',
      `CUDA is not used, because this build has no kernels for the ${foreign.name} (compute capability ` +
        `${foreign.computeCapability}); it has them for ${own.gpuArchitectures.join(', ')}.`,
      better ? 'Use a build that may have them' : 'Use another GPU, or the CPU',
      better ? installing(better) : null,
    );
  }
  const reason = context.probe.device?.reason ?? 'the reason is not known';
  return loud(
    'cuda-unusable',
    `CUDA is not used: ${withoutPeriod(reason)}.`,
    'See the output of nvidia-smi',
    'nvidia-smi',
  );
}

/** libtorch has no CUDA. If there is a GPU, a note says so. */
function whyWithout({ driver, devices, gpus, variants }: Nvidia, { chosen, preferred }: Context): WhyCuda {
  if (driver === null && devices.length === 0 && !gpus?.length)
    return quiet('CUDA is not used, because there is no NVIDIA GPU here.');
  const [installed] = variants.filter((one) => one.installed && one.fits);
  // The section on libtorch has the finding and the remedy.
  if (installed && preferred !== chosen && preferred?.variant === installed.variant)
    return quiet(`CUDA is not used, because the build ${installed.variant} does not load.`);
  if (installed) {
    const by = chosen?.explicit ? `${chosen.source} names a build without it` : 'a build without it comes first';
    const command = chosen?.explicit ? chosen.undo : `npx torch-incremental libtorch use ${installed.variant}`;
    const remedy = chosen?.explicit ? capital(chosen.undo) : `Choose ${installed.variant}: ${command}`;
    return hint(
      'cuda-not-chosen',
      `CUDA is not used, because ${by}, although ${installed.variant} is installed.`,
      remedy,
      command,
    );
  }
  // Prefers a build with a known checksum to a newer one.
  const best = variants.find((one) => one.fits && one.checked) ?? variants.find((one) => one.fits);
  if (best)
    return hint(
      'cuda-not-installed',
      `CUDA is not used, because this libtorch is a build without it. ${gpuNames(gpus)} could be used with CUDA ${best.cuda}.`,
      `Install that build: ${installing(best)}`,
      installing(best),
    );
  const oldest = variants.flatMap(({ minDriver }) => minDriver ?? []).sort(compareVersions)[0];
  if (driver?.version && oldest && compareVersions(driver.version, oldest) < 0)
    return hint(
      'no-build-for-driver',
      `CUDA is not used, because this libtorch is a build without it, and the NVIDIA driver ${driver.version} is too old ` +
        `for any other: ${oldest} or newer is needed.`,
      'Install a newer driver, then a build with CUDA.',
      null,
    );
  return quiet('CUDA is not used, because this libtorch is a build without it, and no other fits the GPU here.');
}

function installing(build: CudaVariant | undefined): string {
  const { variant, checked } = build ?? { variant: 'cpu', checked: true };
  return `${install} ${variant}${checked ? '' : ' --sha256 <hex>'}`;
}

function gpuNames(gpus: Nvidia['gpus']): string {
  return gpus?.length ? `The ${gpus[0]!.name}` : 'The GPU';
}

function quiet(reason: string): WhyCuda {
  return { used: false, reason, command: null, finding: null };
}

function loud(key: string, reason: string, what: string, command: string | null): WhyCuda {
  return {
    used: false,
    reason,
    command,
    finding: warning(key, reason, command === null ? `${what}.` : `${what}: ${command}`),
  };
}

function hint(key: string, reason: string, remedy: string, command: string | null): WhyCuda {
  return { used: false, reason, command, finding: note(key, reason, remedy) };
}

function withoutPeriod(text: string): string {
  return text.replace(/\.$/, '');
}
