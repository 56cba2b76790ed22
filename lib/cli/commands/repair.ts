// `torch-incremental repair`: reports the damage to an online learner's folder and what is lost with it, and repairs it.
import { isNumber } from '../../core/checks';
import { bytes, count, counted } from '../../core/format';
import { repairLearner } from '../../online/repair/repair';
import type { JournalLoss, RepairReport, VersionDamage } from '../../online/repair/report';
import { command as define, number, on } from '../command';

export const command = define({
  name: 'repair',
  description: [
    "Reports the damage to an online learner's folder, and exactly what is lost",
    'with it. Changes nothing unless --yes is given: then everything that is lost is',
    'moved to a folder in that one, and the learner opens again.',
    'Exits with 0 if nothing is damaged or it was repaired, else with 1.',
  ].join('\n'),
  argument: 'dir',
  options: {
    yes: on('Repair it'),
    from: number('n', 'Give up record n of the journal and all later ones', {
      check: isNumber({ integer: true, min: 1 }),
    }),
    json: on('Print it as one line of JSON'),
  },
  examples: ['repair learner', 'repair learner --yes', 'repair learner --json | jq .journal.firstRecord'],
  async run(dir, { yes = false, from, json }, { terminal }) {
    const report = await repairLearner(dir, { apply: yes, ...(from !== undefined && { from }) });
    if (json) terminal.print(JSON.stringify(report));
    else for (const line of linesOf(dir, report)) terminal.print(line);
    return report.damaged && !yes ? 1 : 0;
  },
});

function linesOf(dir: string, report: RepairReport): string[] {
  const { damaged, snapshot, lastRecord, torn, journal, snapshots, versions, quarantine, movedTo } = report;
  const lines = [
    `${dir} resumes from ${snapshot.file || 'version 0'}, and reaches record ${count(lastRecord)} of its journal`,
  ];
  if (torn) {
    lines.push(
      `${torn.file} has a torn end from byte ${torn.offset} on: ${torn.reason}.`,
      `  That is no damage: it was never acknowledged, and opening removes these ${bytes(torn.bytes)}`,
    );
  }
  for (const { file, reason } of snapshots) {
    lines.push(
      `${file} cannot be used: ${reason}.`,
      '  Nothing is lost with it: an older snapshot and a longer journal give the same result',
    );
  }
  if (journal) lines.push(...lossLines(journal));
  for (const { version, file, reason, serves, fate } of versions) {
    lines.push(`${file} cannot be used: ${reason}`, `  ${fateOf(version, serves, fate)}`);
  }
  if (!report.replayed) lines.push('The journal was read, but not replayed: its model is not known');
  for (const { file, offset, lines: bad, bytes: size } of quarantine) {
    lines.push(`${file} is damaged at byte ${offset}: ${counted(bad, 'line')} (${bytes(size)}) cannot be read`);
  }
  if (!damaged) return [...lines, 'Nothing is damaged'];
  if (movedTo) return [...lines, `It was moved to ${movedTo}, and the learner opens again`];
  return [
    ...lines,
    `Nothing was changed. To move it to a folder of its own and continue: npx torch-incremental repair ${dir} --yes`,
  ];
}

function fateOf(version: number, serves: boolean, fate: VersionDamage['fate']): string {
  if (fate === 'remade') return 'Nothing is lost with it: it is reproduced, with the same bits';
  if (!serves) return `Lost: version ${version}, which can no longer be rolled back to`;
  return `Lost: version ${version}, which serves. The newest one that can be loaded serves under its number; what was learned stays`;
}

function lossLines({
  file,
  offset,
  reason,
  firstRecord,
  lastRecord,
  records,
  samples,
  laterFiles,
  bytes: size,
}: JournalLoss): string[] {
  const range =
    lastRecord === null
      ? `from record ${count(firstRecord)} on`
      : `records ${count(firstRecord)} to ${count(lastRecord)}`;
  return [
    `${file} is damaged at byte ${offset}: ${reason}`,
    `  Lost: ${range}, ${bytes(size)}. ${counted(records, 'record')} of it can be recognised, with ${counted(samples, 'sample')}`,
    ...(laterFiles.length > 0 ? [`  Lost with it: ${laterFiles.join(', ')}`] : []),
  ];
}
