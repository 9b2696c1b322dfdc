// Labels on the price axis: level lines can lie a pixel apart, their texts must not.

// Positions nearest to `wanted` with at least `gap` between neighbours, inside [top, bottom] when they fit at all.
// Labels that collide move as one block centred on what they wanted (pooling of adjacent violators).
export function spreadLabels(wanted, gap, top, bottom) {
  const order = wanted.map((_, index) => index).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const blocks = [];
  for (const index of order) {
    blocks.push(makeBlock([index], wanted, gap, top, bottom));
    while (blocks.length > 1 && overlaps(blocks[blocks.length - 2], blocks[blocks.length - 1], gap)) {
      const lower = blocks.pop();
      const upper = blocks.pop();
      blocks.push(makeBlock([...upper.members, ...lower.members], wanted, gap, top, bottom));
    }
  }
  const placed = new Array(wanted.length);
  for (const { members, first } of blocks) members.forEach((index, i) => { placed[index] = first + i * gap; });
  return placed;
}

function makeBlock(members, wanted, gap, top, bottom) {
  const extent = (members.length - 1) * gap;
  const ideal = members.reduce((sum, index, i) => sum + wanted[index] - i * gap, 0) / members.length;
  return { members, first: Math.max(top, Math.min(ideal, bottom - extent)), extent };
}

function overlaps(upper, lower, gap) {
  return upper.first + upper.extent + gap > lower.first;
}
