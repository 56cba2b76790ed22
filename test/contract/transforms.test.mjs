import { transforms } from '../../dist/transforms/index.js';
import { describeFamily } from './family.mjs';

describe('the family of transforms', () => describeFamily(transforms));
