// What came of loading everything, and of training where that was asked for, in a process of its own.
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
    const text = `The trial failed in a process of its own, ${where(failure)}: ${failure.message}`;
    // Where the CPU did all of it, that much works.
    if (failure.on?.startsWith('cuda') && info !== null && device !== null)
      return [
        warning('cuda-fails', text, "Train with device: 'cpu' until that is mended. Look at what nvidia-smi says."),
      ];
    // What the sections above found wrong is why, and they say what to do.
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
    row('in all', `${fixed(seconds, 1)} s${trained ? '' : '; --probe-train also trains'}`),
  ],
});

/** The whole is in the finding, or in that which explains it. */
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
      'The processor lacks an instruction that libtorch used. In a virtual machine, have it show the whole processor.',
    ];
  if (signal === 'SIGKILL')
    return ['probe-killed', 'If the system ended it, it was for want of memory. Give the machine or container more.'];
  if (stage === 'load' && signal !== null)
    return [
      'probe-crashed',
      'The libtorch that is taken is damaged or does not fit this system. Take it away first, then install it anew: npx ' +
        'torch-incremental libtorch remove <variant>, or the folder of the npm package.',
    ];
  // MKL, which is in libtorch, ends the process there.
  return ['probe-failed', cwd === null ? 'The current folder was deleted. Change to another, and try again.' : null];
}
