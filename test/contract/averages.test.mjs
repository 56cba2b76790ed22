import { averages } from '../../dist/averages/index.js';
import { describeFamily } from './family.mjs';

describe('the family of averages', () => describeFamily(averages));
