// `torch-incremental doctor`: reports whether this installation works, and if not, why.
import { diagnose, exitCodes } from '../../doctor/doctor';
import { thisMachine } from '../../doctor/machine';
import { homesOf } from '../../doctor/redact';
import { formatBugReport, formatReport } from '../../doctor/report-text';
import { wrongUsage } from '../arguments';
import { command as define, on } from '../command';

export const command = define({
  name: 'doctor',
  description: [
    'Reports on this machine, Node, npm, the addon, every libtorch and its problems,',
    'and why CUDA is or is not used. Loads everything in a separate process. Exit',
    'codes: 0 everything works, 1 it works with warnings, 2 nothing trains here.',
  ].join('\n'),
  options: {
    probeTrain: on('Also compute, train a step and write a .pth, on every device, and compare'),
    report: on('Print plain text for a bug report, without credentials and home folder'),
    json: on('Print the report as JSON'),
  },
  examples: ['doctor --probe-train', 'doctor --report', 'doctor --json | jq .problems'],
  async run(_, { json, report: forBug, probeTrain }, { terminal, signal }) {
    if (json && forBug) throw wrongUsage('Expected --json or --report but received both');
    const machine = thisMachine(signal);
    const diagnosis = await diagnose({ probe: probeTrain ?? false, machine, signal });
    const homes = homesOf(machine);
    const { report } = diagnosis;
    if (json) terminal.print(JSON.stringify(report, null, 2));
    else if (forBug) terminal.print(formatBugReport(diagnosis, homes));
    else {
      const columns = terminal.interactive ? terminal.columns : Number.POSITIVE_INFINITY;
      terminal.print(formatReport(diagnosis, { paint: terminal.colors, columns, homes }));
      if (!report.ok) terminal.note('\nFor a bug report: npx torch-incremental doctor --report');
    }
    return exitCodes[report.status];
  },
});
