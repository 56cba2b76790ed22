import { losses } from '../../dist/losses/index.js';
import { describeFamily } from './family.mjs';

describe('the family of losses', () => describeFamily(losses));
