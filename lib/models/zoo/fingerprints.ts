// Of each architecture: what tells its tensors apart, their number, and the first. Written by scripts/fingerprints.mjs.
export const fingerprints: Readonly<Record<string, readonly [digest: string, tensors: number, first: string]>> = {
  resnet101: ['a2f7bbfbc6122e4a', 626, 'conv1.weight 64,3,7,7'],
  resnet152: ['e2d7618aad62c214', 932, 'conv1.weight 64,3,7,7'],
  resnet18: ['d184a9db0ebaff11', 122, 'conv1.weight 64,3,7,7'],
  resnet34: ['5cd8dbc0f7dd3c04', 218, 'conv1.weight 64,3,7,7'],
  resnet50: ['a414e35656bfe255', 320, 'conv1.weight 64,3,7,7'],
  resnext101_32x8d: ['b2949404c3475ffc', 626, 'conv1.weight 64,3,7,7'],
  resnext101_64x4d: ['9bbc3d36305b5d75', 626, 'conv1.weight 64,3,7,7'],
  resnext50_32x4d: ['be6b9128b630dc98', 320, 'conv1.weight 64,3,7,7'],
  wide_resnet101_2: ['538b04c502bcf865', 626, 'conv1.weight 64,3,7,7'],
  wide_resnet50_2: ['e6ec5165b657bc8b', 320, 'conv1.weight 64,3,7,7'],
};
