// Small pictures in a terminal: every character cell shows two pixels, one above the other, as the colours of '▀' and of
// what is behind it. The demo shows with them what it has learned.

const side = 32;
const shownSide = 16;

/**
 * Pictures side by side with lines of text below each. `images` are [3, 32, 32] with values from 0 to 1; `depth` is what
 * `process.stdout.getColorDepth()` says.
 */
export function pictures(images, captions, depth) {
  const rows = [];
  for (let row = 0; row < shownSide; row += 2) {
    const cells = images.map((image) => {
      let line = '';
      for (let column = 0; column < shownSide; column++) {
        const [above, below] = [pixel(image, row, column), pixel(image, row + 1, column)];
        line += `\x1b[38;${color(above, depth)}m\x1b[48;${color(below, depth)}m▀`;
      }
      return `${line}\x1b[0m`;
    });
    rows.push(cells.join('  '));
  }
  const texts = captions[0].map((_, line) =>
    captions.map((caption) => caption[line].slice(0, shownSide).padEnd(shownSide)).join('  '),
  );
  return [...rows, ...texts].map((line) => `   ${line}`).join('\n');
}

/** How many fit beside each other. */
export function picturesThatFit(columns) {
  return Math.floor((columns - 3 + 2) / (shownSide + 2));
}

/** Mean of 2x2 pixels of the image: [red, green, blue], 0 to 255. */
function pixel(image, row, column) {
  return [0, 1, 2].map((channel) => {
    const at = (channel * side + 2 * row) * side + 2 * column;
    return (255 * (image[at] + image[at + 1] + image[at + side] + image[at + side + 1])) / 4;
  });
}

function color(rgb, depth) {
  if (depth >= 24) return `2;${rgb.map(Math.round).join(';')}`;
  // The 6x6x6 cube of 256 colours.
  const [red, green, blue] = rgb.map((value) => Math.round((value / 255) * 5));
  return `5;${16 + 36 * red + 6 * green + blue}`;
}
