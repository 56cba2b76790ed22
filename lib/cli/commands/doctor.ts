// `torch-incremental doctor`: whether this installation works, and if not, why.
import { diagnose, formatReport } from '../../doctor';
import { command as define, on } from '../command';

export const command = define({
  name: 'doctor',
  description: 'Shows versions, paths and the device, and tries one training step.',
  options: { json: on('Print the report as JSON') },
  examples: ['doctor', 'doctor --json > report.json'],
  async run(_, { json }, { terminal }) {
    const report = await diagnose();
    terminal.print(json ? JSON.stringify(report, null, 2) : formatReport(report));
    return report.ok ? 0 : 1;
  },
});
