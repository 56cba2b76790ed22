import { schedulers } from '../../dist/schedulers/index.js';
import { describeFamily } from './family.mjs';

describe('the family of schedulers', () => describeFamily(schedulers));
