// Reads where a node comes from: its innermost module, and the line of the model's code. Programs keep both as text:
//
//   nn_module_stack   L__self__,,model.Net;L__self__fc,fc,torch.nn.modules.linear.Linear      key, path, class; outermost first
//   stack_trace       File "/home/net", line 12, in forward\n    return self.fc(x)\n  File "/lib/torch/nn/linear", line 134 …
import type { ModuleCall, Place } from './graph';
import { maxPlaceLength, maxTraceLength } from './limits';
import type { Located } from './located';

/** Places of one program. Module stacks repeat in most nodes, and are parsed once each. */
export class Places {
  readonly #stacks = new Map<string, ModuleCall | undefined>();
  readonly #calls = new Map<string, ModuleCall>();
  /** Classes by the path of their module. */
  readonly types = new Map<string, string>();

  of(node: Located): Place {
    const metadata = node.optional('metadata');
    const text = (key: string) => metadata?.optional(key)?.text().slice(-maxTraceLength) ?? '';
    const stack = text('nn_module_stack');
    if (!this.#stacks.has(stack)) this.#stacks.set(stack, this.#innermost(stack));
    const module = this.#stacks.get(stack);
    const line = lineOf(text('stack_trace'));
    return Object.freeze(module ? { module, line } : { line });
  }

  #innermost(stack: string): ModuleCall | undefined {
    let innermost: ModuleCall | undefined;
    for (const entry of stack.split(';')) {
      const [first, last] = [entry.indexOf(','), entry.lastIndexOf(',')];
      // Texts that are cut short name no module.
      if (first < 0 || last === first || entry.length > maxPlaceLength) continue;
      const [path, type] = [entry.slice(first + 1, last), entry.slice(last + 1)];
      innermost = this.#calls.get(entry) ?? Object.freeze({ path, type });
      this.#calls.set(entry, innermost);
      const module = path.replace(/@\d+$/, '');
      if (!this.types.has(module)) this.types.set(module, type);
    }
    return innermost;
  }
}

/** The last line outside torch, or the last of all. */
function lineOf(trace: string): string {
  const frames = [...trace.matchAll(/File "([^"\n]*)", line (\d+)/g)];
  const frame = frames.findLast(([, file]) => !/[/\\]torch[/\\]/.test(file!)) ?? frames.at(-1);
  return frame ? `${frame[1]!.slice(-maxPlaceLength)}:${frame[2]!.slice(0, 9)}` : '';
}

/** ' (in layer1.0, torch.nn.modules.conv.Conv2d, net:12)' for a message, or ''. */
export function shownPlace({ module, line }: Place): string {
  const parts = [module?.path, module?.type, line].filter((part) => part);
  return parts.length > 0 ? ` (in ${parts.join(', ')})` : '';
}
