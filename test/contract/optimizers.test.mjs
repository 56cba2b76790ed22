import { optimizers } from '../../dist/optimizers/index.js';
import { describeFamily } from './family.mjs';

describe('the family of optimizers', () => describeFamily(optimizers));
