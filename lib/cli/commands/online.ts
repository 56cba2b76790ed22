// `torch-incremental online`: a learner that other programs feed with lines of JSON.
import { isNumber, isPath } from '../../core/checks';
import { count, counted, percent } from '../../core/format';
import { checkWritable } from '../../files/atomic-write';
import { type LearnerMetrics, OnlineLearner } from '../../online/learner';
import type { LearnerOptions } from '../../online/options';
import type { State } from '../../state/state';
import { wrongUsage } from '../arguments';
import { checkpointOptions, withSource } from '../checkpoint';
import { type Context, command as define, number, text } from '../command';
import { interrupted } from '../interrupt';
import { isExported, modelFrom, modelOptions } from '../model-file';
import { learnerOptions, learnerOptionsFrom } from '../online/options';
import { Serving, writerTo } from '../online/serving';
import { StatusLine } from '../online/status';
import { errorColors } from '../terminal';

const { stdin, stdout, stderr } = process;

export const command = define({
  name: 'online',
  description: [
    'Keeps a model learning from a stream: reads lines of JSON from standard input,',
    'or from peers that connect to a socket, and answers each with a line. Everything',
    'is kept in a folder, where the same command resumes, however it ended. The',
    'checkpoint may be a model that torch.export saved (.pt2).',
    '',
    '  {"id": "a", "input": …, "label": 3}   learns; input: base64, or numbers',
    '  {"input": …}                          predicts',
    '  {"feedback": id, "label": 3}          gives a prediction its label',
    '  {"metrics": true}, {"versions": true}, {"publish": true}, {"rollback": 2},',
    '  {"save": "file.pth"}',
    '',
    'Several inputs come by name: "inputs": {"ids": …, "mask": …}. Targets that are',
    'not classes are numbers, or arrays of them: "target": 0.5.',
  ].join('\n'),
  argument: 'checkpoint',
  argumentIsOptional: true,
  options: {
    ...learnerOptions,
    ...checkpointOptions,
    ...modelOptions,
    listen: text('path', 'Serve at this Unix socket instead of standard input', { check: isPath }),
    port: number('n', 'Serve at this port of 127.0.0.1; 0: any free port', {
      check: isNumber({ integer: true, min: 0, max: 65_535 }),
    }),
    save: text('file', 'Checkpoint to write at the end: the weights that serve', { check: isPath }),
  },
  examples: [
    'online pretrained_model.pth --dir ./learner < samples.ndjson > answers.ndjson',
    'online pretrained_model.pth --dir ./learner --replay 5000 --held-out ~/cifar --port 4000',
    'online bert.pt2 --dir ./learner --loss crossEntropyLoss:output=logits',
    'online --dir ./learner --listen ./learner.sock --drift adwin --on-drift boostReplay',
  ],
  async run(checkpoint, { key, stripPrefix, model: modelFile, listen, port, save, ...given }, context) {
    const chosen = learnerOptionsFrom(given);
    if (save !== undefined && isExported(save))
      throw wrongUsage(`--save ${save}: it writes weights alone; name it .pth`);
    const choice = { key, stripPrefix };
    const { model, weights } = await modelFrom(modelFile, checkpoint, choice, context.signal);
    const options = { ...chosen, ...(model && { model }) };
    if (save !== undefined) await checkWritable(save);
    const learner = await open(weights ?? checkpoint, choice, options, context);
    const before = learner.metrics();
    const allTaken = await serve(learner, { listen, port }, context);
    if (save !== undefined) await saveLast(options, save);
    const { terminal, signal } = context;
    if (!terminal.readerGone) terminal.note(summary(before, learner.metrics(), options.dir));
    // Unread answers would keep the process from ending.
    if (!allTaken) process.exit(interrupted);
    return signal.aborted ? interrupted : 0;
  },
});

async function open(
  checkpoint: string | State,
  choice: { key: string | undefined; stripPrefix: string | undefined },
  options: LearnerOptions,
  { signal }: Context,
): Promise<OnlineLearner> {
  if (checkpoint === '') return OnlineLearner.open({ ...options, signal });
  return withSource(checkpoint, choice, signal, (source) =>
    OnlineLearner.open({ ...options, checkpoint: source, signal }),
  );
}

/** Resolves with whether all answers were read. */
async function serve(
  learner: OnlineLearner,
  { listen, port }: { listen: string | undefined; port: number | undefined },
  { terminal, signal }: Context,
): Promise<boolean> {
  const serving = new Serving(learner);
  const readsInput = listen === undefined && port === undefined;
  // It would overwrite the text that a person types.
  const isShown = stderr.isTTY && process.env.TERM !== 'dumb' && !(readsInput && stdin.isTTY);
  const status = isShown ? new StatusLine(stderr, errorColors(), () => learner.metrics()) : undefined;
  const stop = () => {
    status?.stop();
    serving.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    if (listen !== undefined) terminal.note(`Listening at ${await serving.listen({ path: listen })}`);
    if (port !== undefined) terminal.note(`Listening at ${await serving.listen({ port })}`);
    if (readsInput && stdin.isTTY) terminal.note('Reading lines of JSON; Ctrl-D ends');
    const write = writerTo(stdout);
    const input = {
      input: stdin,
      trusted: true,
      write: (line: string) => {
        if (stdout.isTTY) status?.hide();
        return write(line);
      },
    };
    return await serving.run(readsInput ? input : undefined);
  } finally {
    status?.stop();
    if (readsInput) stdin.destroy();
    await learner.close();
  }
}

/** Opens the closed folder once more to save the weights that serve. */
async function saveLast(options: LearnerOptions, file: string): Promise<void> {
  const learner = await OnlineLearner.open(options);
  try {
    await learner.save(file);
  } finally {
    await learner.close();
  }
}

function summary(before: LearnerMetrics, now: LearnerMetrics, dir: string): string {
  const { samples, accuracy } = now.prequential.windowed;
  const learned = counted(now.learned - before.learned, 'sample');
  const right = samples > 0 ? `; ${percent(accuracy)} of the last ${count(samples)} were right before` : '';
  return [
    `Learned ${learned} in ${counted(now.updates - before.updates, 'update')}${right}`,
    `The newest version is ${now.version}; the learner is in ${dir}`,
  ].join('\n');
}
