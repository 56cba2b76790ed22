// `torch-incremental evaluate`: scores a checkpoint on the test images, class by class.

import { count, fixed, percent } from '../../core/format';
import { type Device, isDevice } from '../../native/device';
import { evaluate } from '../../training/evaluate';
import { runOptionChecks as checks } from '../../training/run';
import { missingArgument } from '../arguments';
import { checkpointOptions, withSource } from '../checkpoint';
import { command as define, number, numberOr, on, text } from '../command';
import { dataOptions, openData } from '../data';
import { lossFrom, metricsFrom } from '../members';
import { isExported, modelFrom, modelOptions } from '../model-file';
import { classTable, confusionTable, metricLines } from '../tables';

export const command = define({
  name: 'evaluate',
  description: [
    "Scores a checkpoint (.pth) on CIFAR-10's test images: loss, accuracy by class,",
    'and a confusion matrix; or a model that torch.export saved (.pt2), with its own',
    'weights or with those of a checkpoint: --model model.pt2.',
  ].join('\n'),
  argument: 'checkpoint',
  argumentIsOptional: true,
  options: {
    ...checkpointOptions,
    ...modelOptions,
    ...dataOptions,
    batchSize: number('n', 'Samples at once (default: 64)', { check: checks.batchSize }),
    metrics: text('names', 'Such as accuracy,f1Score:average=micro (default: accuracy)'),
    loss: text('loss', 'As crossEntropyLoss:labelSmoothing=0.1 (default: crossEntropyLoss)'),
    device: text<Device>('device', 'auto, cpu, cuda or cuda:N (default: auto)', { check: isDevice }),
    threads: numberOr<'leave-one'>('n', 'Threads that compute, or leave-one (default: one for each core)', {
      check: checks.threads,
    }),
    json: on('Print the result as one line of JSON'),
  },
  examples: [
    'evaluate updated_model.pth',
    'evaluate updated_model.pth --data ~/cifar --json',
    'evaluate updated_model.pth --metrics f1Score,topKAccuracy:k=3,auroc',
    'evaluate mine.pth --model model.mjs',
    'evaluate updated.pth --model model.pt2',
  ],
  async run(
    checkpoint,
    { key, stripPrefix, model: modelFile, data, download, json, metrics: words, loss: lossWords, ...options },
    context,
  ) {
    const isWeighted = checkpoint !== '' || (modelFile !== undefined && isExported(modelFile));
    if (!isWeighted) throw missingArgument('evaluate', 'checkpoint');
    const metrics = words === undefined ? undefined : metricsFrom(words);
    const { terminal, signal } = context;
    const given = lossFrom(lossWords);
    const { model, weights } = await modelFrom(modelFile, checkpoint, { key, stripPrefix }, signal);
    const dataset = await openData({ data, download }, false, context);
    const result = await withSource(weights ?? checkpoint, { key, stripPrefix }, signal, (source) =>
      evaluate(source, {
        ...options,
        ...(model && { model }),
        ...(metrics && { metrics }),
        ...(given && { loss: given }),
        data: dataset,
        signal,
      }),
    );
    if (json) {
      terminal.print(JSON.stringify(result));
      return 0;
    }
    const { colors } = terminal;
    const { loss, accuracy, samples, notFinite } = result;
    terminal.print(`${confusionTable(result, colors, terminal.interactive ? terminal.columns : Infinity)}\n`);
    terminal.print(`${classTable(result, colors)}\n`);
    if (notFinite > 0) {
      terminal.print(`The outputs for ${count(notFinite)} samples are infinite or NaN: these count as wrong`);
    }
    const measured = metrics ? metricLines(result.metrics) : '';
    if (measured !== '') terminal.print(`${measured}\n`);
    // Last, because a terminal of 24 lines scrolls the first away.
    terminal.print(`${colors.bold(percent(accuracy))} of ${count(samples)} samples right, loss ${fixed(loss, 4)}`);
    return 0;
  },
});
