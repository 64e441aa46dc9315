// The image under a mask, drawn in a canvas: what is kept stays sharp, the rest is blurred, black, or outlined.

export const LONGEST = 900;
const BLUR = 0.03; // of the longer side

/** Return a canvas that shows an image under one of its masks: `{canvas, draw({mask, mode, opacity})}`. */
export async function revealer(imageAddress) {
  const image = await bitmap(imageAddress);
  const scale = Math.min(1, LONGEST / Math.max(image.width, image.height));
  const [width, height] = [Math.round(image.width * scale), Math.round(image.height * scale)];
  const canvas = make(width, height);
  canvas.className = "reveal";
  const base = make(width, height);
  base.getContext("2d").drawImage(image, 0, 0, width, height);
  const blurred = blur(base);

  function draw({ mask, mode, opacity }) {
    const context = canvas.getContext("2d");
    context.globalAlpha = 1;
    context.drawImage(base, 0, 0);
    if (!mask || mode === "original") return;
    if (mode === "outline") return outline(context, mask, width, height);
    context.globalAlpha = opacity;
    if (mode === "blur") context.drawImage(blurred, 0, 0);
    else {
      context.fillStyle = "#000";
      context.fillRect(0, 0, width, height);
    }
    context.globalAlpha = 1;
    context.drawImage(cut(base, mask), 0, 0);
  }

  return { canvas, draw };
}

/** Return a mask picture (grey) as a canvas whose opacity it is. */
export async function alphaMask(address) {
  const image = await bitmap(address);
  const canvas = make(image.width, image.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height);
  for (let k = 0; k < pixels.data.length; k += 4) pixels.data[k + 3] = pixels.data[k];
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Return what an image keeps under a mask. */
function cut(base, mask) {
  const kept = make(base.width, base.height);
  const context = kept.getContext("2d");
  context.drawImage(mask, 0, 0, base.width, base.height);
  context.globalCompositeOperation = "source-in";
  context.drawImage(base, 0, 0);
  return kept;
}

function outline(context, mask, width, height) {
  const size = Math.max(1.5, Math.max(width, height) / 220);
  const ring = make(width, height);
  const inner = ring.getContext("2d");
  for (let k = 0; k < 16; k += 1) {
    const angle = (k * Math.PI) / 8;
    inner.drawImage(hard(mask, width, height), size * Math.cos(angle), size * Math.sin(angle));
  }
  inner.globalCompositeOperation = "source-in";
  inner.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  inner.fillRect(0, 0, width, height);
  inner.globalCompositeOperation = "destination-out";
  inner.drawImage(hard(mask, width, height), 0, 0);
  context.drawImage(ring, 0, 0);
}

const hardened = new WeakMap();
/** Return a mask cut at a half. */
function hard(mask, width, height) {
  if (hardened.get(mask)?.width === width) return hardened.get(mask);
  const canvas = make(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(mask, 0, 0, width, height);
  const pixels = context.getImageData(0, 0, width, height);
  for (let k = 3; k < pixels.data.length; k += 4) pixels.data[k] = pixels.data[k] < 128 ? 0 : 255;
  context.putImageData(pixels, 0, 0);
  hardened.set(mask, canvas);
  return canvas;
}

/** Blur by scaling down and up: every browser can. */
function blur(base) {
  const factor = Math.max(2, BLUR * Math.max(base.width, base.height));
  const small = make(Math.max(1, Math.round(base.width / factor)), Math.max(1, Math.round(base.height / factor)));
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(base, 0, 0, small.width, small.height);
  const canvas = make(base.width, base.height);
  const large = canvas.getContext("2d");
  large.imageSmoothingQuality = "high";
  large.drawImage(small, 0, 0, base.width, base.height);
  return canvas;
}

function make(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

async function bitmap(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}
