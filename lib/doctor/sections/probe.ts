// Reports the result of loading everything, and of training if requested, in a separate process.
import { fixed } from '../../core/format';
import type { Machine } from '../machine';
import { type ProbeFailure, type ProbeResult, stageNames } from '../probe/run';
import { capital, problem, row, section, warning } from '../section';

export type Facts = Pick<ProbeResult, 'trained' | 'stages' | 'failure' | 'loss' | 'seconds'>;

export const probe = section<Facts>({
  title: 'Trial',
  look: ({ probe: { trained, stages, failure, loss, seconds } }) => ({ trained, stages, failure, loss, seconds }),
  judge({ failure }, { machine, probe: { info, device } }, before) {
    if (failure === null) return [];
    if (!failure.started)
      return [
        warning(
          'probe-not-started',
          `Nothing was tried, because no other process could be started: ${failure.message}.`,
          "With Node's permission model, add --allow-child-process.",
        ),
      ];
    const text = `The trial failed in a separate process, ${where(failure)}: ${failure.message}`;
    // The stages on the CPU ran before, so that much works.
    if (failure.on?.startsWith('cuda') && info !== null && device !== null)
      return [
        warning('cuda-fails', text, "Train with device: 'cpu' until that is repaired. See the output of nvidia-smi."),
      ];
    // The problems of the sections above explain the failure, and have remedies.
    const isExplained =
      info === null && failure.signal === null && before.some(({ severity }) => severity === 'problem');
    if (isExplained) return [];
    const [key, remedy] = remedyFor(failure, machine);
    return [problem(key, text, remedy)];
  },
  rows: ({ stages, failure, seconds, loss, trained }) => [
    ...stages
      .filter(({ stage }) => stage !== 'driver')
      .map(({ stage, on, seconds: took }) =>
        row(
          on ?? '',
          `${stageNames[stage]}, ${fixed(took, 2)} s${stage === 'step' && loss !== null ? `, loss ${fixed(loss, 4)}` : ''}`,
          'good',
        ),
      ),
    ...(failure === null
      ? []
      : [row(failure.on ?? '', `failed ${where(failure)}: ${firstLine(failure.message)}`, 'bad')]),
    row('total', `${fixed(seconds, 1)} s${trained ? '' : '; --probe-train also trains'}`),
  ],
});

/** Returns the first line of a message. The finding has the whole message, or another finding explains it. */
function firstLine(text: string): string {
  const [first = '', ...rest] = text.split('\n');
  return rest.length === 0 ? first : `${first.replace(/:$/, '')} …`;
}

function where({ started, stage, on }: ProbeFailure): string {
  if (!started) return 'to start';
  if (stage === null) return 'before it began';
  return `at ${stageNames[stage]}${on === null ? '' : ` on ${on}`}`;
}

function remedyFor(
  { signal, stage, remedies }: ProbeFailure,
  { cwd }: Pick<Machine, 'cwd'>,
): [key: string, remedy: string | null] {
  if (remedies.length > 0) return ['probe-failed', capital(remedies.join('; or '))];
  if (signal === 'SIGILL')
    return [
      'processor-instruction',
      'The processor does not have an instruction that libtorch used. In a virtual machine, expose the whole processor.',
    ];
  if (signal === 'SIGKILL')
    return ['probe-killed', 'If the system ended it, memory ran out. Give the machine or container more memory.'];
  if (stage === 'load' && signal !== null)
    return [
      'probe-crashed',
      'The libtorch that is used is damaged or does not fit this system. Remove it (npx torch-incremental libtorch remove ' +
        '<variant>, or the folder of the npm package), then install it again.',
    ];
  // MKL, a part of libtorch, ends the process if the current folder does not exist.
  return ['probe-failed', cwd === null ? 'The current folder was deleted. Change to another, and try again.' : null];
}
