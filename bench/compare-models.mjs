// One model of bench/models.mjs against PyTorch, tuned and plain: for the trials that bear the models' names.
import { modelNamed } from './models.mjs';
import { report, shown } from './report.mjs';
import { images, median, pretrained, settings, workFolder } from './support.mjs';
import { inTurns, ours, theirs } from './turns.mjs';
import { variants } from './variants.mjs';

const references = {
  tuned: { title: 'tuned.py', args: [] },
  tunedBf16: { title: 'tuned.py --bf16', args: ['--bf16'] },
  eager: { title: 'tuned.py --eager', args: ['--eager'] },
  eagerPil: { title: 'tuned.py --eager --loader pil', args: ['--eager', '--loader', 'pil'] },
};

export async function compareModel(name, title, { samples: few }) {
  const chosen = { rounds: 5, samples: few, variants: ['exact', 'fast', 'bf16'], references: Object.keys(references) };
  const { rounds, samples, variants: ways, references: others } = settings(chosen);
  const checkpoint = await pretrained(workFolder(), modelNamed(name));
  const answers = await inTurns(
    [
      ...ways.map((way) =>
        ours(way, { model: name, checkpoint, root: images(), samples, options: variants[way].options }),
      ),
      ...others.map((other) =>
        theirs(other, [
          ...['--turns', '--model', name, '--checkpoint', checkpoint, '--samples', samples],
          ...references[other].args,
        ]),
      ),
    ],
    rounds,
  );
  const titles = { ...references, ...variants };
  const names = Object.keys(answers);
  const rate = Object.fromEntries(
    names.map((who) => [who, median(answers[who].map((answer) => answer.samples / answer.seconds))]),
  );
  const ratio = Object.fromEntries(names.map((who) => [who, rate[who] / rate.tuned]));
  if (rate.bf16) ratio.bf16OverTunedBf16 = rate.bf16 / rate.tunedBf16;
  const compiled = answers.tuned?.[0].compiled;
  report(title, {
    sentence: `${ways
      .filter((way) => rate[way])
      .map((way) => `${variants[way].title} ${ratio[way].toFixed(2)} times the samples a second of tuned.py`)
      .join(', ')}${compiled === false ? '; torch.compile FAILED and was left out' : ''}`,
    figures: { rate, ratio, rounds, samples, batchSize: 64, compiled },
    tables: [
      {
        columns: ['', 'samples/s', 'times tuned.py', 'times tuned.py --eager'],
        rows: names.map((who) => [
          titles[who].title,
          shown(rate[who]),
          shown(ratio[who]),
          shown(rate[who] / rate.eager),
        ]),
      },
    ],
    charts: [
      {
        ...{ file: name, kind: 'bars', title: `${title}: training`, value: 'samples/s' },
        bars: names.map((who) => [titles[who].title, rate[who]]),
      },
    ],
  });
}
