import { metrics } from '../../dist/metrics/index.js';
import { describeFamily } from './family.mjs';

describe('the family of metrics', () => describeFamily(metrics));
