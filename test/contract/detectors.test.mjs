import { detectors } from '../../dist/detectors/index.js';
import { describeFamily } from './family.mjs';

describe('the family of drift detectors', () => describeFamily(detectors));
