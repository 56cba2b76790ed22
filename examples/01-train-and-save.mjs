// The smallest use: a checkpoint learns from CIFAR-10 and is saved again. From a few epochs of the data on, Net gets
// about 40 % of the test images right; it guesses 10 % when it is new.
//
//     node examples/01-train-and-save.mjs [checkpoint] [folder with CIFAR-10] [epochs]
import { cifar10, evaluate, saveState, trainIncremental } from 'torch-incremental';

const [checkpoint = 'pretrained_model.pth', root = './data', epochs = 10] = process.argv.slice(2);

const { state, seconds } = await trainIncremental(checkpoint, { data: cifar10({ root }), epochs: Number(epochs) });
await saveState(state, 'updated_model.pth');

const { accuracy } = await evaluate(state, { data: cifar10({ root, train: false }) });
console.log(`${(100 * accuracy).toFixed(1)} % right after ${seconds.toFixed(1)} s`);
